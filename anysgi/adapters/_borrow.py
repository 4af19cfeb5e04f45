"""Somebody else's middleware of the other convention around your app.

    WSGI middleware around an ASGI app:   WsgiToAsgi(middleware(AsgiToWsgi(app)))
    ASGI middleware around a WSGI app:    AsgiToWsgi(middleware(WsgiToAsgi(app)))

The inner adapter is a guest of the outer one (`_nesting`), so there is one loop.  What the middleware's convention
cannot carry goes around it, to the app itself: lifespan and WebSockets on one side, WebSockets on the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .._core._websocket_scope import asks_for_websocket
from ._asgi_to_wsgi import AsgiToWsgi
from ._wsgi_to_asgi import WsgiToAsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..types import ASGIApp, Environ, Receive, Scope, Send, StartResponse, WSGIApp

THREADS = 200  # requests at once through WSGI middleware: each holds a thread, which mostly waits for the app


class BorrowedForAsgi(Protocol):
    """Puts WSGI middleware around an ASGI app: `borrowed(app, **options)`."""

    __name__: str

    def __call__(self, app: ASGIApp, *args: Any, **options: Any) -> ASGIApp: ...


class BorrowedForWsgi(Protocol):
    """Puts ASGI middleware around a WSGI app: `borrowed(app, **options)`."""

    __name__: str

    def __call__(self, app: WSGIApp, *args: Any, **options: Any) -> WSGIApp: ...


def as_asgi_middleware(middleware: Callable[..., WSGIApp], *args: Any, **options: Any) -> BorrowedForAsgi:
    """Use WSGI middleware (werkzeug, whitenoise) around an ASGI app.

        app = as_asgi_middleware(WhiteNoise, root="static")(app)
        app.add_middleware(as_asgi_middleware(ProxyFix), x_for=1)

    Each HTTP request holds a thread while it is under way, of at most 200.  WebSockets and lifespan pass the middleware
    by.  What the app raises is raised through it.

    Args:
        middleware: called as `middleware(app, *args, **options)` with a WSGI app; returns one.
        args, options: for it; more may be given with the app.

    Returns:
        ASGI middleware, called with the app.
    """

    def borrowed(app: ASGIApp, *more: Any, **extra: Any) -> ASGIApp:
        return _AroundAsgi(app, middleware(_inside_wsgi(app), *args, *more, **{**options, **extra}))

    borrowed.__name__ = _name(middleware)
    return borrowed


def as_wsgi_middleware(middleware: Callable[..., ASGIApp], *args: Any, **options: Any) -> BorrowedForWsgi:
    """Use ASGI middleware (Starlette's, asgi-correlation-id's) around a WSGI app.

        app.wsgi_app = as_wsgi_middleware(SessionMiddleware, secret_key=key)(app.wsgi_app)

    The middleware runs on the process's event loop, and the app on a thread of its own.  WebSockets pass it by.  What
    it leaves in its scope is in `environ["asgi.scope"]`.

    Args:
        middleware: called as `middleware(app, *args, **options)` with an ASGI app; returns one.
        args, options: for it; more may be given with the app.

    Returns:
        WSGI middleware, called with the app.
    """

    def borrowed(app: WSGIApp, *more: Any, **extra: Any) -> WSGIApp:
        return _AroundWsgi(app, middleware(WsgiToAsgi(app, threads=THREADS), *args, *more, **{**options, **extra}))

    borrowed.__name__ = _name(middleware)
    return borrowed


class _AroundAsgi:
    """An ASGI app with WSGI middleware around its HTTP requests."""

    def __init__(self, app: ASGIApp, wrapped: WSGIApp) -> None:
        self.app = app
        self._http = WsgiToAsgi(wrapped, threads=THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._http if scope["type"] == "http" else self.app
        await app(scope, receive, send)

    def __repr__(self) -> str:
        return f"<{self._http.app!r} around {self.app!r}>"


class _AroundWsgi:
    """A WSGI app with ASGI middleware around its HTTP requests."""

    def __init__(self, app: WSGIApp, wrapped: ASGIApp) -> None:
        self.app = app
        self._http = AsgiToWsgi(wrapped, raise_app_errors=True)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        app: WSGIApp = self.app if asks_for_websocket(environ) else self._http
        return app(environ, start_response)

    def __repr__(self) -> str:
        return f"<{self._http.app!r} around {self.app!r}>"


def _inside_wsgi(app: ASGIApp) -> WSGIApp:
    return AsgiToWsgi(app, lifespan="off", raise_app_errors=True)


def _name(middleware: object) -> str:
    return getattr(middleware, "__name__", type(middleware).__name__)
