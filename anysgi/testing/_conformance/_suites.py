"""`check_wsgi_to_asgi`, `check_asgi_to_wsgi`, `check_middleware`: the suites people call."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from ...types import Convention
from .._differences import LOSSY
from ._asgi_to_wsgi import ASGI_TO_WSGI
from ._check import Check, Make, Report
from ._middleware import ASGI_MIDDLEWARE, WSGI_MIDDLEWARE
from ._middleware_compared import fused_and_unfused_give_the_same, wsgi_and_asgi_give_the_same
from ._wsgi_to_asgi import WSGI_TO_ASGI


def check_wsgi_to_asgi(make: Make) -> Report:
    """Try an adapter from WSGI to ASGI on everything such an adapter must do.

    Args:
        make: called as `make(wsgi_app)`; returns an ASGI app, or a context manager around one that cleans up.

    Returns:
        The result of each check, in order; see `Report.raise_for_failures`.
    """
    return WSGI_TO_ASGI.try_on(make)


def check_asgi_to_wsgi(make: Make) -> Report:
    """Try an adapter from ASGI to WSGI on everything such an adapter must do.

    Args:
        make: called as `make(asgi_app)`; returns a WSGI app, or a context manager around one that cleans up.

    Returns:
        The result of each check, in order; see `Report.raise_for_failures`.
    """
    return ASGI_TO_WSGI.try_on(make)


def check_middleware(
    layer: Any, conventions: Collection[Convention] = ("wsgi", "asgi"), ignore: Collection[str] = LOSSY
) -> Report:
    """Try a middleware on what every middleware must do.

    Args:
        layer: called as `layer(app)`; returns the wrapped app, or a context manager around it.  A layer of
            `anysgi.middleware` is also tried fused into a stack, against the same layers one around the other.
        conventions: those it serves.
        ignore: facts that may differ between two runs, such as `"header:x-request-id"`; see `assert_same`.

    Returns:
        The result of each check, in order; see `Report.raise_for_failures`.
    """
    report = Report()
    if "wsgi" in conventions:
        report += WSGI_MIDDLEWARE.try_on(layer)
    if "asgi" in conventions:
        report += ASGI_MIDDLEWARE.try_on(layer)
    if len(conventions) == 2:
        report.append(_compared(wsgi_and_asgi_give_the_same, ignore).try_on(layer))
    if _can_be_fused(layer):
        report.append(_compared(fused_and_unfused_give_the_same, ignore).try_on(layer))
    return report


def _compared(function: Callable[..., None], ignore: Collection[str]) -> Check:
    return Check(function.__name__, (function.__doc__ or "").strip(), partial(function, ignore=(*LOSSY, *ignore)))


def _can_be_fused(layer: object) -> bool:
    from anysgi.middleware import Layer, Stack

    return isinstance(layer, (Layer, Stack))
