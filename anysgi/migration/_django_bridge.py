"""Django's sessions in ASGI apps, read and written by Django's own session middleware: same engine, same cookie."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from .._core._headers import latin1
from .._core._one_header import header_in_scope
from .._core._refusals import Refusal
from ._sessions import WatchedSession, adding_headers

if TYPE_CHECKING:
    from ..types import ASGIApp, HeaderList, Receive, Scope, Send


class DjangoSession:
    """Gives an ASGI app Django's session as `scope["session"]`, where Starlette and FastAPI look for `request.session`.

    The engine of `SESSION_ENGINE` is asked on Django's own thread, before the app runs if there is a session cookie,
    and when the head of the response leaves if something changed.  What touches the store at once (`flush()`,
    `cycle_key()`) is awaited in its asynchronous form in an `async def` handler: `await request.session.aflush()`.

    Django must be set up: `django.setup()`, or `get_asgi_application()`, before the first request.

    Args:
        app: the ASGI app.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; lifespan passes through."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        from django.contrib.sessions.exceptions import SessionInterrupted

        exchange = _Exchange(header_in_scope(scope, "cookie"))
        await exchange.load()
        watched = WatchedSession(exchange.request.session, "DjangoSession")
        try:
            await self.app({**scope, "session": watched}, receive, adding_headers(send, exchange.headers))
        except SessionInterrupted as error:
            # Django answers 400 as well; the head is not out, as it was to bring the cookie.
            for message in Refusal(400, str(error)).messages:
                await send(message)


class _Exchange:
    """One request as Django's session middleware wants it.

    Args:
        cookies: the Cookie header.
    """

    def __init__(self, cookies: str) -> None:
        from django.contrib.sessions.middleware import SessionMiddleware
        from django.http import HttpRequest, HttpResponse, parse_cookie

        self.request: Any = HttpRequest()
        self.request.COOKIES = parse_cookie(cookies)
        self._had_cookie = False
        self._response = HttpResponse
        self._middleware = SessionMiddleware(self._response)
        self._middleware.process_request(self.request)

    async def load(self) -> None:
        """Read the session, so that the app finds it at hand; without a cookie there is none."""
        session = self.request.session
        self._had_cookie = bool(session.session_key)
        if self._had_cookie:
            await _in_djangos_thread(session.keys)
            session.accessed = False  # not by the app

    async def headers(self, status: int) -> HeaderList:
        """Save the session if it changed; what Django would add to the response."""
        session = self.request.session
        if not (session.accessed or session.modified or self._had_cookie):
            return []
        response = self._response(status=max(status, 200))
        await _in_djangos_thread(partial(self._middleware.process_response, self.request, response))
        cookies = [(b"set-cookie", latin1(cookie.OutputString())) for cookie in response.cookies.values()]
        return [*cookies, (b"vary", latin1(response.headers["Vary"]))] if response.has_header("Vary") else cookies


async def _in_djangos_thread(call: Any) -> None:
    """Run what may ask the database where Django runs it, with its connections kept as around a request."""
    from django.db import close_old_connections

    def run() -> None:
        close_old_connections()
        try:
            call()
        finally:
            close_old_connections()

    await sync_to_async(run)()
