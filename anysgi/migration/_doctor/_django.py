"""Django: settings that mean something else under ASGI.

Under ASGI each request's synchronous code runs on a thread of its own (asgiref's ThreadSensitiveContext), which ends
with the request; a connection that is to outlive the request is then nobody's (Django ticket 33497).
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ._finding import Evidence, Finding, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient, Side


def persistent_connections(patient: Patient) -> Iterator[Finding]:
    """`CONN_MAX_AGE` other than 0: one connection leaks for each thread, that is for each request."""
    for alias, database in databases(patient):
        age = database.get("CONN_MAX_AGE", 0)
        if age != 0 and not (database.get("OPTIONS") or {}).get("pool"):
            yield Finding(
                "django-conn-max-age",
                "error",
                f"database {alias!r} keeps connections for {age} s; under ASGI every request is a new thread, so none "
                "is ever used again, and they add up to the database's limit",
                (line_of(settings_files(patient), "CONN_MAX_AGE", age),),
                '"CONN_MAX_AGE": 0, and for PostgreSQL "OPTIONS": {"pool": {"max_size": 40}}',
            )


def atomic_requests(patient: Patient) -> Iterator[Finding]:
    """`ATOMIC_REQUESTS` with async views: Django refuses such a view when it is called."""
    views = [route.handler for route in patient.app.inventory.routes if route.handler.kind == "async"]
    for alias, database in databases(patient):
        if database.get("ATOMIC_REQUESTS") and views:
            named = tuple(Evidence(f"async def {view.name}", view.file, view.line) for view in views)
            yield Finding(
                "django-atomic-requests",
                "error",
                f"database {alias!r} has ATOMIC_REQUESTS, which cannot wrap an async view: it raises RuntimeError",
                (line_of(settings_files(patient), "ATOMIC_REQUESTS", True), *named),
                "@transaction.non_atomic_requests on the async views",
            )


def sync_middleware(patient: Patient) -> Iterator[Finding]:
    """Each change between async and sync middleware costs a hop to a thread and back, on every request."""
    settings = settings_of(*patient.sides)
    names = list(settings.MIDDLEWARE) if settings else []
    sync_only = [name for name in names if not getattr(_import(name), "async_capable", False)]
    hops = _hops([name not in sync_only for name in names])
    if sync_only:
        places = tuple(Evidence(name, *_place(name)) for name in sync_only)
        yield Finding(
            "django-sync-middleware",
            "warning" if hops > 1 else "note",
            f"{len(sync_only)} of {len(names)} middleware classes are sync only: {hops} thread hops for a request to "
            "an async view",
            places,
            "put them next to each other, innermost; or make them async_capable = True",
        )


def _hops(is_async: list[bool]) -> int:
    """How often a request changes sides on its way from the async handler to an async view."""
    chain = [True, *is_async, True]
    return sum(outer and not inner for outer, inner in pairwise(chain))


def settings_of(*sides: Side) -> Any:
    """Django's settings, which the whole process shares; None if none of the sides is Django's."""
    if not any(side.framework == "Django" for side in sides):
        return None
    from django.conf import settings

    return settings


def databases(patient: Patient) -> list[tuple[str, dict[str, Any]]]:
    settings = settings_of(*patient.sides)
    return list(settings.DATABASES.items()) if settings else []


def settings_files(patient: Patient) -> tuple[str, ...]:
    """The settings module, then the modules of the apps, where `settings.configure` may stand."""
    module = sys.modules.get(os.environ.get("DJANGO_SETTINGS_MODULE", ""))
    own = getattr(module, "__file__", None)
    return (*([own] if own else []), *(file for side in patient.sides for file in side.files))


def _import(name: str) -> object:
    from django.utils.module_loading import import_string

    found: object = import_string(name)
    return found


def _place(name: str) -> tuple[str | None, int | None]:
    from .._inventory._source import place_of

    return place_of(_import(name))
