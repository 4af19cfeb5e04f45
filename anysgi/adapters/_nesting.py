"""Adapters inside adapters: how an inner one finds the outer one, and what it takes from it.

The outer `WsgiToAsgi` leaves itself in the environ, under `anysgi.outer`, as the reader of its request (`RequestPump`):
that knows the loop, the threads, and when the exchange is over.  So an `AsgiToWsgi` anywhere behind it needs no loop of
its own, and a `WsgiToAsgi` behind that one no place in a pool whose thread waits for it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .._bridge._pool import WorkerPool
from .._core._detect import layers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._bridge._port import Port
    from ..types import Environ, LoopName, Scope
    from ._asgi_exchange import AsgiExchange
    from ._asgi_to_wsgi import AsgiToWsgi
    from ._request_pump import RequestPump

FAMILIES: dict[LoopName, str] = {"asyncio": "asyncio", "uvloop": "asyncio", "trio": "trio"}
"""What runs on one loop of a family runs on all of it."""


def outer_of(environ: Environ, loop: LoopName) -> RequestPump | None:
    """Return the request this one is part of, if its loop is there and of a kind the app can run on."""
    outer: RequestPump | None = environ.get("anysgi.outer")
    if outer is None or not outer.port.running or outer.port.family != FAMILIES[loop]:
        return None
    return outer


def inherit_scope(scope: dict[str, Any], environ: Environ, state: dict[str, Any] | None) -> dict[str, Any]:
    """Return the inner request's scope with all that the outer one knows beside HTTP: a session, a user, its state.

    The state is the outer request's own dict, so that what either app leaves there, the other finds.

    Args:
        scope: translated from `environ`; what it says goes.
        environ: the request, maybe changed by WSGI middleware on the way.
        state: the lifespan's, None if the app has none.
    """
    outer: Scope = environ["asgi.scope"]
    merged = {**outer, **scope}
    shared = outer.get("state")
    if shared is None:
        shared = dict(environ.get("anysgi.state") or {})
    for name, value in (state or {}).items():
        shared.setdefault(name, value)
    if shared or state is not None:
        merged["state"] = shared
    return merged


def pool_for(request: RequestPump) -> WorkerPool:
    """Return where the app is to run: its own pool, unless a thread of that one waits for this very request.

    That thread lends its place, so there are as many at work as before, and one thread is enough for any depth.
    """
    outer = request.outer
    while outer is not None:
        if outer.pool is request.pool:
            return _lent()
        outer = outer.outer
    return request.pool


@functools.cache
def _lent() -> WorkerPool:
    return WorkerPool(1_000_000, name="anysgi-lent")  # bounded by the threads that wait for these


async def ended(inner: AsgiExchange, port: Port) -> None:
    """Wait until an inner app has returned, background tasks included; cancelled, cancel them.

    Args:
        inner: a part of the request that waits.
        port: the loop of both.

    Raises:
        BaseException: what the app raised after its response was complete.
    """
    if inner.task is not None:
        try:
            await port.join(inner.task)
        except port.Cancelled:
            inner.cancel_background()
            raise
    error = inner.late_error()
    if error is not None:
        raise error


def inner_adapters(app: object) -> Iterator[AsgiToWsgi]:
    """Yield the `AsgiToWsgi` inside a WSGI app, if the middleware around it shows what it wraps."""
    from ._asgi_to_wsgi import AsgiToWsgi

    for layer in layers_of(app):
        if isinstance(layer, AsgiToWsgi):
            yield layer
            return
