"""`WsgiToAsgi`: an unchanged WSGI app as an ASGI app."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from .._bridge import _forks
from .._bridge._pool import WorkerPool
from .._bridge._ports import running_port
from .._core._detect import framework_of
from .._core._environ import environ_from_scope, inherit_environ
from .._core._refusals import Refusal
from .._core._request_line import loggable
from ..exceptions import BadRequest, ServerProtocolError
from ._lifespan_host import LifespanHost
from ._options import NEEDS_WSPROTO, check_app, check_choice, check_positive, is_plain
from ._websocket_denial import deny_with
from ._wsgi_exchange import WsgiExchange
from ._wsgi_refusals import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._bridge._port import Port
    from ..types import ChunkedPolicy, Environ, Lifespan, Receive, Scope, Send, UnderscorePolicy, WSGIApp

log = logging.getLogger("anysgi")

NEED_LENGTH = frozenset(["Django", "Falcon", "Bottle"])
"""Frameworks that take a body without CONTENT_LENGTH for an empty one, whatever `wsgi.input_terminated` says."""


class WsgiToAsgi:
    """Serve a WSGI app on an ASGI server (uvicorn, hypercorn, granian, daphne).

    Each request runs on one thread of a pool; bodies stream both ways inside byte-counted windows; a client that leaves
    is noticed, the app's iterable is closed on its thread and in its context, always, once.  A WebSocket reaches the
    app as a request with `environ["werkzeug.socket"]`, as Flask-Sock and simple-websocket expect, and holds a thread.

    Implements PEP 3333 as the server of `app`, and the ASGI spec ("HTTP", "WebSocket", "Lifespan") as an application.

    Args:
        app: the WSGI app, called as `app(environ, start_response)`.
        threads: how many requests run at once at most, per process.
        pool: a `WorkerPool` to share with other adapters, instead of `threads` and `queue_limit`.
        queue_limit: how many requests may wait for a thread; further ones get 503 with Retry-After.  None: no limit.
        queue_timeout: seconds a request may wait for a thread before it gets 503 with Retry-After.  None: no limit.
        window: bytes that may be buffered per request and direction; whoever is further ahead waits.
        prebuffer: bytes of the request body to collect before a thread is taken, so that slow uploads hold none.
        max_body_size: bytes of request body; more is answered 413 (RFC 9110 section 15.5.14).  None: no limit.
        max_message_size: bytes of a WebSocket message of the app; a larger one closes it with 1011 (RFC 6455 section
            7.4.1).  What clients send is the server's to limit.
        timeout: seconds for the whole response; then 504, or a cut connection if it had begun.  None: no limit.
            WebSockets have no such limit.
        grace: seconds an app has to leave its thread once its client left; then the request ends without it.
        chunked: bodies of unknown length are streamed (`"stream"`), or collected first to give the app a CONTENT_LENGTH
            (`"spool"`); `"auto"` spools for frameworks known to need one (Django, Falcon, Bottle).
        underscore_headers: request header names with `_` could forge others: `"drop"` them, `"refuse"` the request
            with 400, or `"keep"` them.
        lifespan: an async context manager factory, called with this adapter when the server starts and left when it
            stops; a mapping it yields is the app's `environ["anysgi.state"]`.
        shutdown_timeout: seconds that requests still running get when the server stops.
        multiprocess: the value of `wsgi.multiprocess`.
        propagate_context: set context variables changed by the app in the caller's context, once it returned.

    Raises:
        ConventionError: `app` cannot be called.
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        threads: int = 40,
        pool: WorkerPool | None = None,
        queue_limit: int | None = None,
        queue_timeout: float | None = None,
        window: int = 262_144,
        prebuffer: int = 0,
        max_body_size: int | None = None,
        max_message_size: int = 16_777_216,
        timeout: float | None = None,
        grace: float = 3.0,
        chunked: ChunkedPolicy = "auto",
        underscore_headers: UnderscorePolicy = "drop",
        lifespan: Lifespan | None = None,
        shutdown_timeout: float = 30.0,
        multiprocess: bool = True,
        propagate_context: bool = False,
    ) -> None:
        self.plain = is_plain(WsgiToAsgi, locals())
        check_app(app, "wsgi", "WsgiToAsgi")
        check_choice("chunked", chunked, ("auto", "stream", "spool"))
        check_choice("underscore_headers", underscore_headers, ("drop", "refuse", "keep"))
        check_positive(window=window, queue_timeout=queue_timeout, timeout=timeout, prebuffer=prebuffer or None)
        check_positive(max_message_size=max_message_size, max_body_size=max_body_size or None)
        self.app = app
        self.queue_timeout = queue_timeout
        self.window = window
        self.prebuffer = prebuffer
        self.max_body_size = max_body_size
        self.max_message_size = max_message_size
        self.timeout = timeout
        self.grace = grace
        self.spools = chunked == "spool" or (chunked == "auto" and framework_of(app) in NEED_LENGTH)
        self.underscore_headers = underscore_headers
        self.shutdown_timeout = shutdown_timeout
        self.multiprocess = multiprocess
        self.propagate_context = propagate_context
        self._own_pool = pool is None
        self.pool = pool or WorkerPool(threads, queue_limit=queue_limit)
        self._port: Port | None = None
        self._host = LifespanHost(self, lifespan)
        _forks.register(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection.

        Raises:
            Exception: what the app raised; `ValueError` for a scope type nobody here knows.
        """
        kind = scope["type"]
        if kind == "http":
            try:
                environ = self._environ(scope)
            except BadRequest as error:
                await self._refuse(scope, receive, send, error)
                return
            unknown = _length_unknown(scope, environ)
            await WsgiExchange(self, self.port_here(), environ, receive, send, unknown, self.timeout).run()
        elif kind == "lifespan":
            await self._host.run(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        else:
            raise ValueError(
                f"WsgiToAsgi cannot serve ASGI scope type {kind!r}; it serves http, websocket and lifespan"
            )

    def port_here(self) -> Port:
        """Return the way into the loop that is running; made once for each."""
        port = self._port
        if port is None or not port.is_here():
            port = self._port = running_port()
        return port

    def _environ(self, scope: Scope) -> Environ:
        environ = environ_from_scope(scope, underscores=self.underscore_headers, multiprocess=self.multiprocess)
        limit = self.max_body_size
        if limit is not None and int(environ.get("CONTENT_LENGTH") or 0) > limit:
            raise BadRequest(f"the body is larger than {limit} bytes", 413)
        if "wsgi.environ" in scope:
            inherit_environ(environ, scope["wsgi.environ"])
        environ["anysgi.state"] = self._host.state(scope)
        return environ

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: BadRequest) -> None:
        log.warning("%s %r answered %d: %s", loggable(scope["method"]), scope["path"], error.status, error.reason)
        await answer(self.port_here(), receive, send, Refusal(error.status, error.reason))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        if message["type"] != "websocket.connect":
            raise ServerProtocolError(f"expected 'websocket.connect' from the server, got {message['type']!r}")
        try:
            from ._websocket_to_wsgi import WsgiWebSocket
        except ImportError:
            log.error(NEEDS_WSPROTO)
            await deny_with(scope, send, Refusal(501, NEEDS_WSPROTO))
            return
        try:
            websocket = WsgiWebSocket(self, self.port_here(), scope, receive, send, self._host.state(scope))
        except BadRequest as error:
            await deny_with(scope, send, Refusal(error.status, error.reason))
            return
        await websocket.run()

    def drain(self) -> None:
        """Let running requests finish (at most `shutdown_timeout` seconds) and end the threads; blocks.

        A shared pool is left alone.  A request that comes later starts new threads.
        """
        self.retire()()

    def retire(self) -> Callable[[], object]:
        """Take no more requests into the pool there is; what is returned drains it, and blocks.

        On the loop, where requests are handed over: none can slip into a pool that is closing.
        """
        if not self._own_pool:
            return bool
        pool, self.pool = self.pool, WorkerPool(self.pool.threads, queue_limit=self.pool.queue_limit)
        return partial(pool.close, self.shutdown_timeout)

    def after_fork(self) -> None:
        """Forget the parent's loop: this is the child."""
        self._port = None

    def __repr__(self) -> str:
        return f"WsgiToAsgi({self.app!r}, threads={self.pool.threads})"


def _length_unknown(scope: Scope, environ: Environ) -> bool:
    """Whether a body may come whose length nobody announced; HTTP/1.1 announces that much (RFC 9112 section 6.3)."""
    if "CONTENT_LENGTH" in environ:
        return False
    if not environ["SERVER_PROTOCOL"].startswith("HTTP/1."):
        return True
    for name, _ in scope["headers"]:  # noqa: SIM110 - a generator takes twice as long, for every GET
        if len(name) == 17 and name.lower() == b"transfer-encoding":
            return True
    return False
