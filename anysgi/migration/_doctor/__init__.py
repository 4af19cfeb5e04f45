"""Say what will break when the server changes, with the evidence and the line to write.

`CHECKS` is the table of checks; each is a function from a `Patient` to its findings, and knows nothing of the others.
`_probe` and `_pages` are the ones that run the app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._django import atomic_requests, persistent_connections, sync_middleware
from ._finding import Check, Evidence, Finding, Patient, Side
from ._gunicorn import changed_settings
from ._handlers import blocking_in_async, thread_locals
from ._limits import body_limits, connection_budget
from ._middleware import base_http_middleware
from ._pages import look_at_pages
from ._pools import thread_pools
from ._preload import started_by_import
from ._probe import probe
from ._sides import cookies, proxy_trust
from ._static import prefixes, static_urls
from ._websockets import websocket_library
from ._wrapped import foreign_adapters, wsgi_layers

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CHECKS", "Check", "Evidence", "Finding", "Patient", "Side", "RUN", "call", "examine"]

CHECKS: dict[str, Check] = {
    "django-conn-max-age": persistent_connections,
    "django-atomic-requests": atomic_requests,
    "django-sync-middleware": sync_middleware,
    "base-http-middleware": base_http_middleware,
    "blocking-in-async": blocking_in_async,
    "thread-locals": thread_locals,
    "thread-pools": thread_pools,
    "preload": started_by_import,
    "cookies": cookies,
    "proxy-trust": proxy_trust,
    "static-urls": static_urls,
    "prefix": prefixes,
    "body-limit": body_limits,
    "connection-budget": connection_budget,
    "websocket-library": websocket_library,
    "foreign-adapter": foreign_adapters,
    "wsgi-middleware": wsgi_layers,
    "gunicorn": changed_settings,
}
"""Every check by its id, in the order of the report."""
RUN = "run"
"""The id of what `probe` finds; `look_at_pages` finds more for two of the `CHECKS`."""


def examine(patient: Patient, ignore: Iterable[str] = ()) -> list[Finding]:
    """Run every check.

    Args:
        patient: the apps and settings.
        ignore: ids of checks to leave out.

    Returns:
        The findings, in the order of `CHECKS`.
    """
    skipped = set(ignore)
    return [finding for name, check in CHECKS.items() if name not in skipped for finding in check(patient)]


def call(patient: Patient, requests: int, paths: list[str], ignore: Iterable[str] = ()) -> list[Finding]:
    """Really call the apps: send requests and see what leaks, then ask for all that pages need.

    Args:
        patient: the apps.
        requests: how many requests to the old app, for leaks.
        paths: what to GET.
        ignore: ids of checks to leave out.
    """
    skipped = set(ignore)
    leaks = [] if RUN in skipped else probe(patient.app, requests, paths)
    pages = [] if {"static-urls", "prefix"} <= skipped else look_at_pages(patient, paths)
    return [finding for finding in (*leaks, *pages) if finding.check not in skipped]
