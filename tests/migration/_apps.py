"""Two sides for a router, and a driver for either convention.

`legacy` answers everything with `legacy METHOD PATH BODY`.  `new` does what its path says; it comes as an ASGI app and
as a WSGI app.
"""

from __future__ import annotations

import asyncio
import io
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.adapters._calling import make_environ
from tests.adapters._driving import AsgiPeer, http_scope, upload
from tests.conftest import BOUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from anysgi.migration import Router


class Boom(Exception):
    """What the new side raises."""


def legacy(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    start_response("200 OK", [("x-side", "legacy")])
    return [f"legacy {environ['REQUEST_METHOD']} {environ['PATH_INFO']} {body}".strip().encode()]


def failing(environ: Any, start_response: Any) -> list[bytes]:
    raise Boom("legacy")


STATUSES = {"/missing": 404, "/not-allowed": 405, "/gone": 410, "/error": 500, "/read-404": 404}


class NewAsgi:
    """The new side as an ASGI app.  `hung` is set once /hang waits."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.hung = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise Boom("no lifespan here")
        path = scope["path"]
        self.calls.append(path)
        scope["path"] = "/changed by the new side"
        body = b""
        if path in ("/echo", "/read-404", "/read-crash"):
            body = await _body(receive)
        if path == "/look-404":
            await receive()
        if path in ("/crash", "/read-crash"):
            raise Boom(path)
        if path == "/silent":
            return
        if path == "/hang":
            self.hung.set()
            await asyncio.Event().wait()
        status = 404 if path == "/look-404" else STATUSES.get(path, 200)
        headers = [(b"x-side", b"new")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"new " + body, "more_body": True})
        if path == "/crash-late":
            raise Boom(path)
        await send({"type": "http.response.body", "body": b""})


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


class NewWsgi:
    """The new side as a WSGI app."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.closed = 0

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.calls.append(path)
        environ["PATH_INFO"] = "/changed by the new side"
        if path.startswith("/lazy"):
            return self._lazy(path.removeprefix("/lazy"), start_response)
        if path in ("/crash", "/read-crash"):
            environ["wsgi.input"].read(1)
            raise Boom(path)
        if path == "/silent":
            return []
        body = environ["wsgi.input"].read() if path in ("/echo", "/read-404") else b""
        write = start_response(f"{404 if path == '/look-404' else STATUSES.get(path, 200)} Status", [("x-side", "new")])
        write(b"new ")
        if path == "/crash-late":
            raise Boom(path)
        return Closing(self, [body])

    def _lazy(self, path: str, start_response: Any) -> Iterator[bytes]:
        try:
            if path == "/silent":
                return
            start_response(f"{STATUSES.get(path, 200)} Status", [("x-side", "new")])
            yield b""
            yield b"new "
            yield b"lazy"
        finally:
            self.closed += 1


class Closing(list[bytes]):
    """A list with a `close()` that is counted."""

    def __init__(self, app: NewWsgi, chunks: list[bytes]) -> None:
        super().__init__(chunks)
        self._app = app

    def close(self) -> None:
        self._app.closed += 1


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: BaseException | None = None

    @property
    def side(self) -> str:
        return self.headers.get("x-side", "")


def ask(router: Router, convention: str, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """One request in either convention; what the router raises is in the answer."""
    if convention == "wsgi":
        return _ask_wsgi(router, path, method, body, headers)
    return asyncio.run(ask_asgi(router, path, method, body, **headers))


def _ask_wsgi(router: Router, path: str, method: str, body: bytes, headers: dict[str, str]) -> Answer:
    answer = Answer()
    written: list[bytes] = []

    def start_response(status: str, fields: Any, exc_info: Any = None) -> Any:
        answer.status, answer.headers = int(status[:3]), {name.lower(): value for name, value in fields}
        return written.append

    more = {"HTTP_" + name.upper(): value for name, value in headers.items()}
    environ = make_environ(method, path, None, **more, REMOTE_ADDR="127.0.0.1")
    if body:
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    try:
        result = router.wsgi(environ, start_response)
        try:
            written.extend(result)
        finally:
            getattr(result, "close", bool)()
    except Exception as error:
        answer.error = error
    answer.body = b"".join(written)
    return answer


async def ask_asgi(router: Router, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    if body:
        fields.append((b"content-length", str(len(body)).encode()))
    peer = AsgiPeer(*upload(body))
    peer.loop = asyncio.get_running_loop()
    answer = Answer()
    try:
        async with asyncio.timeout(BOUND):
            await router.asgi(http_scope(method, path, fields), peer.receive, peer.send)
    except Exception as error:
        answer.error = error
    if peer.sent:
        answer.status = peer.status
        answer.headers = {name.decode(): value.decode() for name, value in peer.headers}
    answer.body = peer.body
    return answer
