"""`AsgiToWsgi`: an unchanged ASGI app as a WSGI app."""

from __future__ import annotations

import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, cast

from .._bridge._contexts import write_back
from .._core._lost_files import LostFile, is_repeatable
from .._core._refusals import Refusal
from .._core._request_line import check_request_line
from .._core._route import hand_on
from .._core._websocket_scope import asks_for_websocket
from ..exceptions import BadRequest
from ._asgi_exchange import AsgiExchange
from ._asgi_refusals import UNANSWERED, answer, body_for, refuse
from ._asgi_response import ResponsePump, StreamingResponse
from ._asgi_scope import app_scope
from ._environ_body import EnvironBody
from ._files import BLOCK, open_file, tell_of_lost_file
from ._homes import Homes
from ._nesting import outer_of
from ._options import NEEDS_WSPROTO, check_app, check_choice, check_positive, is_plain, single_callable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..types import ASGI2App, ASGIApp, AsgiMode, Environ, LifespanMode, LoopName, StartResponse
    from ._websocket_from_environ import Upgrade


class AsgiToWsgi:
    """Serve an ASGI app on a WSGI server (gunicorn, waitress, mod_wsgi, uWSGI with threads).

    The app runs on one long-lived event loop per process, shared by all adapters, started at the first request and
    never at import, so that `gunicorn --preload` and other forks are safe.  Its lifespan runs on that loop before the
    first request.  Bodies stream both ways; a client that leaves becomes `http.disconnect`; background tasks do not
    delay the response.  WebSockets work where the server hands out its socket (gunicorn, werkzeug, gevent), and hold
    one of its threads each.

    Implements the ASGI spec ("HTTP", "WebSocket", "Lifespan") as the server of `app`, and PEP 3333 as an application.

    Args:
        app: the ASGI app, called as `await app(scope, receive, send)`; ASGI 2 apps work as well.
        lifespan: `"auto"` runs the app's lifespan if it has one, `"on"` insists on it, `"off"` never asks.
        loop: `"asyncio"`, `"uvloop"` or `"trio"`; the outer one's, where there is an ASGI server further out.
        mode: `"thread"` runs the loop on a thread of its own.  `"inline"` runs one on each of the server's threads, for
            servers that run no others, and only while they serve a request: the lifespan then runs once per thread, and
            background tasks run in the response's `close()`.
        window: bytes the app may be ahead of the server before its `send` waits.
        max_body_size: bytes of request body; more is answered 413 (RFC 9110 section 15.5.14).  None: no limit.
        max_message_size: bytes of a WebSocket message; a larger one closes it with 1009 (RFC 6455 section 7.4.1).
        ping_interval: seconds between two pings on a WebSocket; a client that sends nothing from one to the next is
            gone.  None: no pings.
        timeout: seconds for the whole response; then 504, or a cut connection if it had begun.  None: no limit.
            A server that is reading a slow client's body cannot be interrupted: the time is looked at when it returns.
            WebSockets have no such limit.
        grace: seconds an app has to end once its client left, before its task is cancelled.
        startup_timeout: seconds for the lifespan's startup.
        shutdown_timeout: seconds for running requests and background tasks, then for the lifespan's shutdown.
        raise_app_errors: raise what the app raised out of the call, for WSGI middleware around it, instead of
            answering 500 and writing the traceback to `wsgi.errors`.
        propagate_context: set context variables changed by the app in the caller's context, when the call returns.

    Raises:
        ConventionError: `app` is not an ASGI app.
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        app: ASGIApp | ASGI2App,
        *,
        lifespan: LifespanMode = "auto",
        loop: LoopName = "asyncio",
        mode: AsgiMode = "thread",
        window: int = 262_144,
        max_body_size: int | None = None,
        max_message_size: int = 16_777_216,
        ping_interval: float | None = 20.0,
        timeout: float | None = None,
        grace: float = 3.0,
        startup_timeout: float = 30.0,
        shutdown_timeout: float = 30.0,
        raise_app_errors: bool = False,
        propagate_context: bool = False,
    ) -> None:
        self.plain = is_plain(AsgiToWsgi, locals())
        check_app(app, "asgi", "AsgiToWsgi")
        check_choice("lifespan", lifespan, ("auto", "on", "off"))
        check_choice("loop", loop, ("asyncio", "uvloop", "trio"))
        check_choice("mode", mode, ("thread", "inline"))
        if mode == "inline" and loop == "trio":
            raise ValueError('mode="inline" needs loop="asyncio" or "uvloop": a trio loop cannot stand still')
        check_positive(
            window=window, timeout=timeout, startup_timeout=startup_timeout, shutdown_timeout=shutdown_timeout
        )
        check_positive(
            max_message_size=max_message_size, ping_interval=ping_interval, max_body_size=max_body_size or None
        )
        self.app = cast("ASGIApp", app)  # or of ASGI 2, for servers that run both
        self._single: ASGIApp = single_callable(app)
        self.lifespan = lifespan
        self.loop = loop
        self.mode = mode
        self.window = window
        self.max_body_size = max_body_size
        self.max_message_size = max_message_size
        self.ping_interval = ping_interval
        self.timeout = timeout
        self.grace = grace
        self.startup_timeout = startup_timeout
        self.shutdown_timeout = shutdown_timeout
        self.raise_app_errors = raise_app_errors
        self.propagate_context = propagate_context
        self._offers_files = True  # until middleware loses one
        self.homes = _homes(mode)(self._single, loop, lifespan, startup_timeout, shutdown_timeout)

    def start(self) -> None:
        """Start the loop and the app's lifespan now, instead of at the first request; blocks until startup is complete.

        Raises:
            LifespanError: startup failed; every request would raise the same until `close()`.
        """
        self.homes.start_own()

    def close(self) -> None:
        """Let running requests finish, then shut the app's lifespan down; blocks.  A later request starts anew.

        Raises:
            LifespanError: the app's shutdown failed.
        """
        self.homes.close()

    def __enter__(self) -> AsgiToWsgi:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AsgiToWsgi({self.app!r})"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one WSGI request; returns once the head is known.

        Raises:
            LifespanError: the app did not start.
            RuntimeError: called on the app's own event loop thread.
            Exception: what the app raised, if `raise_app_errors`.
        """
        outer = outer_of(environ, self.loop) if "anysgi.outer" in environ else None
        runtime = (self.homes.own or self.homes.start_own()) if outer is None else self.homes.at(outer)
        runtime.port.refuse_here()
        websocket = "HTTP_UPGRADE" in environ and asks_for_websocket(environ)
        try:
            check_request_line(environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "")
            body = EnvironBody(environ, self.max_body_size, self.window)
            upgrade = self._upgrade(environ) if websocket else None
        except BadRequest as error:
            return refuse(environ, start_response, error)
        scope = app_scope(environ, runtime.state, nested=outer is not None, files=self._offers_files)
        context = copy_context()
        if upgrade is None:
            exchange = AsgiExchange(runtime, self._single, scope, context, self.window, self.grace, not body.empty)
        else:
            exchange = upgrade.exchange(runtime, self._single, scope, context, self.window, self.grace)
        if outer is not None:
            outer.adopt(exchange)
        if not exchange.begin():
            return answer(environ, start_response, Refusal(503, "The app's event loop has ended."))
        try:
            timeout = None if websocket else self.timeout
            response = self._respond(ResponsePump(exchange, body, environ, timeout, self), environ, start_response)
        except BaseException:
            exchange.end_early()
            if runtime.port.inline:
                runtime.port.run(exchange.settled())
            raise
        finally:
            if self.propagate_context:
                write_back(context)
        if response is None:
            if self._offers_files:
                self._offers_files = False
                tell_of_lost_file(scope)
            return self(environ, start_response)
        if runtime.port.inline:
            from ._inline import lingering

            return lingering(response, exchange, runtime.port)
        return response

    def _upgrade(self, environ: Environ) -> Upgrade:
        try:
            from ._websocket_from_environ import Upgrade
        except ImportError as error:
            raise BadRequest(NEEDS_WSPROTO, 501) from error
        return Upgrade(environ, self.max_message_size, self.ping_interval)

    def _respond(self, pump: ResponsePump, environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
        """Give the server the response; None if the app is to be asked once more, without the offer to name a file."""
        exchange = pump.exchange
        try:
            try:
                first = pump.next()
            finally:
                hand_on(exchange.scope, environ)
            pump.send_hints()
            file = open_file(exchange.messages) if exchange.messages.path else None
        except UNANSWERED as error:
            exchange.end_early()
            return refuse(environ, start_response, error)
        except Exception as error:
            if isinstance(error, LostFile) and is_repeatable(environ):
                return None
            if self.raise_app_errors:
                raise
            exchange.end_early()  # it may have been the server that failed, and the app waits
            pump.report(error)
            refusal = Refusal(500)
            start_response(refusal.status_line, refusal.headers, sys.exc_info())
            return body_for(environ, refusal)
        messages = exchange.messages
        try:
            start_response(messages.status, messages.headers)
        except BaseException:
            if file is not None:
                file.close()
            raise
        if not exchange.down.ended:
            return StreamingResponse(pump, first)
        pump.finish()
        if file is not None:
            whole: Iterable[bytes] = environ["wsgi.file_wrapper"](file, BLOCK)
            return whole
        return [first] if first or not messages.silent else ()


def _homes(mode: AsgiMode) -> type[Homes]:
    if mode == "thread":
        return Homes
    from ._inline import InlineHomes

    return InlineHomes
