"""The router's own page: an ASGI app, and through our own adapter a WSGI app.

GET  PATH              the page, or the login form
POST PATH/login        token=…  hands out the cookie
POST PATH/logout
GET  PATH/state        what the page shows, as JSON
GET  PATH/events       the same as server-sent events, whenever it changed
POST PATH/switch       {"kill": true} or {"route": "item", "percent": 5 or null}
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from time import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .. import AsgiToWsgi
from .._bridge._ports import running_port
from .._core._paths import path_in_scope
from ._dashboard_access import COOKIE, Access
from ._dashboard_http import Refused, Reply, Visit, answer, html_page
from ._dashboard_state import dashboard_state

if TYPE_CHECKING:
    from ..types import Receive, Scope, Send
    from ._core import Core

_MOST_VIEWERS = 8  # streams of events at a time
_STREAM = 60.0  # seconds of a stream on a WSGI server, which lends a thread to it; the browser comes again
_SILENCE = 15.0  # seconds after which a stream says that it is still there


class Dashboard:
    """Serves the page.

    Args:
        core: the router.
        path: where, such as `/_migration`.
        token: opens it.
        switch: does what a command says, `{"kill": …}` or `{"route": …, "percent": …}`.

    Raises:
        ValueError: the path does not begin with a slash, or the token is too short.
    """

    def __init__(self, core: Core, path: str, token: str, switch: Callable[[dict[str, Any]], None]) -> None:
        if not path.startswith("/") or not path.strip("/"):
            raise ValueError(f"dashboard must be a path of its own, such as '/_migration', not {path!r}")
        self._core = core
        self._path = path.rstrip("/")
        self._access = Access(token)
        self._switch = switch
        self._interval = 1.0  # seconds between two looks at what changed
        self._viewers = 0
        self.since = time()
        self.wsgi = AsgiToWsgi(self.asgi, lifespan="off")
        self._pages: dict[tuple[str, str], Callable[[Visit], Awaitable[Reply]]] = {
            ("GET", ""): self._page,
            ("GET", "/state"): self._state,
            ("POST", "/login"): self._login,
            ("POST", "/logout"): self._logout,
            ("POST", "/switch"): self._press,
        }

    def owns(self, path: str) -> bool:
        """Whether a path is the dashboard's."""
        return path.startswith(self._path) and path[len(self._path) :][:1] in ("", "/")

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        visit = Visit(scope, receive, path_in_scope(scope)[len(self._path) :].rstrip("/"))
        if (method, visit.where) == ("GET", "/events"):
            await self._events(visit, send)
            return
        page = self._pages.get((method, visit.where))
        try:
            reply = await page(visit) if page is not None else Reply(404, b"There is no such page.\n")
        except Refused as refused:
            reply = refused.reply
        await answer(reply, scope["method"], send)

    # --- who it is

    def _logged_in(self, visit: Visit) -> bool:
        return self._access.is_bearer(visit.header("authorization")) or self._access.is_cookie(visit.cookie)

    def _admit(self, visit: Visit) -> None:
        if not self._logged_in(visit):
            raise Refused(401, "Log in first, or send Authorization: Bearer TOKEN.")

    def _admit_command(self, visit: Visit) -> None:
        """A command comes with the token itself, or from our own page."""
        self._admit(visit)
        if self._access.is_bearer(visit.header("authorization")):
            return
        from_elsewhere = visit.header("sec-fetch-site") not in ("", "same-origin")
        if from_elsewhere or not self._access.is_page_token(visit.header("x-page-token"), visit.cookie):
            raise Refused(403, "This did not come from the dashboard's own page.")

    # --- pages

    async def _page(self, visit: Visit) -> Reply:
        if not self._logged_in(visit):
            return self._login_form(visit, 401 if visit.cookie else 200)
        values = {"path": self._full_path(visit), "token": self._access.page_token(visit.cookie)}
        return html_page("dashboard.html", values)

    def _full_path(self, visit: Visit) -> str:
        """The page's path as the browser knows it."""
        return f"{visit.scope.get('root_path') or ''}{self._path}"

    def _login_form(self, visit: Visit, status: int, problem: str = "") -> Reply:
        return html_page("login.html", {"path": self._full_path(visit), "problem": problem}, status)

    async def _login(self, visit: Visit) -> Reply:
        fields = parse_qs((await visit.body()).decode("utf-8", "replace"))
        if not self._access.is_token(fields.get("token", [""])[0]):
            return self._login_form(visit, 401, "This is not the token.")
        path = self._full_path(visit)
        cookie = self._access.new_cookie(path, visit.scope.get("scheme") == "https")
        return Reply(303, headers=(("location", path), ("set-cookie", cookie)))

    async def _logout(self, visit: Visit) -> Reply:
        self._admit_command(visit)
        return Reply(204, headers=(("set-cookie", f"{COOKIE}=; Max-Age=0; Path={self._full_path(visit)}"),))

    async def _state(self, visit: Visit) -> Reply:
        self._admit(visit)
        return Reply(200, self._json(), "application/json")

    async def _press(self, visit: Visit) -> Reply:
        self._admit_command(visit)
        try:
            self._switch(json.loads(await visit.body()))
        except OSError as error:
            raise Refused(409, f"The switches file cannot be written: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Refused(400, f"This is no command: {error}") from error
        return Reply(200, self._json(), "application/json")

    def _json(self) -> bytes:
        return json.dumps(dashboard_state(self._core, self.since), separators=(",", ":")).encode()

    # --- events

    async def _events(self, visit: Visit, send: Send) -> None:
        environ = visit.scope.get("wsgi.environ")
        if not self._logged_in(visit):
            await answer(Reply(401, b"Log in first.\n"), "GET", send)
        elif self._viewers >= _MOST_VIEWERS or (environ is not None and not environ.get("wsgi.multithread")):
            # 204 tells the browser not to come again (HTML, "Server-sent events"); the page asks for /state instead.
            await answer(Reply(204), "GET", send)
        else:
            self._viewers += 1
            try:
                await self._stream(visit, send, _STREAM if environ is not None else float("inf"))
            finally:
                self._viewers -= 1

    async def _stream(self, visit: Visit, send: Send, seconds: float) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        shown, quiet, left = b"", 0.0, seconds
        while left > 0:
            state = self._json()
            if state != shown:
                shown, quiet = state, 0.0
                await send({"type": "http.response.body", "body": b"data: %b\n\n" % state, "more_body": True})
            elif quiet >= _SILENCE:
                quiet = 0.0
                await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})
            if await self._left_within(visit, self._interval):
                return
            quiet, left = quiet + self._interval, left - self._interval
        await send({"type": "http.response.body", "body": b""})

    async def _left_within(self, visit: Visit, seconds: float) -> bool:
        """Wait; True as soon as the client leaves."""
        try:
            async with running_port().timeout(seconds):
                while (await visit.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        return True


_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would collect the events
]
