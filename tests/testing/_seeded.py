"""The 32 bugs of real adapters, servers, clients and middleware, each planted alone into something that works.

Rows B1 to B32 of the research.  Where the bug is an adapter's, our own is taken and spoiled: what it hands on, or is
handed, is changed the way the peer changes it.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anysgi import AsgiToWsgi, WsgiToAsgi

Make = Callable[[Any], Any]


def as_it_is(app: Any) -> Any:
    return app


def wsgi_to_asgi(around_app: Make = as_it_is, around_adapter: Make = as_it_is, **options: Any) -> Make:
    """Our adapter with something put between it and the app, or between it and the server."""

    @contextmanager
    def make(app: Any) -> Iterator[Any]:
        adapter = WsgiToAsgi(around_app(app), **options)
        yield around_adapter(adapter)
        adapter.drain()

    return make


def asgi_to_wsgi(around_app: Make = as_it_is, around_adapter: Make = as_it_is) -> Make:
    @contextmanager
    def make(app: Any) -> Iterator[Any]:
        with AsgiToWsgi(around_app(app), grace=0.1) as adapter:
            yield around_adapter(adapter)

    return make


def http_app(change: Callable[[Any, Any, Any, Any], Any]) -> Make:
    """Around an ASGI app: `change(app, scope, receive, send)` for http, the app itself for the rest."""

    def around(app: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            await (change(app, scope, receive, send) if scope["type"] == "http" else app(scope, receive, send))

        return outer

    return around


# ASGI to WSGI


@http_app
async def hangs_without_a_response(app: Any, scope: Any, receive: Any, send: Any) -> None:
    sent = []

    async def noting(message: Any) -> None:
        sent.append(message)
        await send(message)

    await app(scope, receive, noting)
    if not sent:
        await asyncio.sleep(1)


@http_app
async def hangs_after_the_head(app: Any, scope: Any, receive: Any, send: Any) -> None:
    sent = []

    async def noting(message: Any) -> None:
        sent.append(message["type"])
        await send(message)

    await app(scope, receive, noting)
    if sent == ["http.response.start"]:
        await asyncio.sleep(1)


@http_app
async def feeds_nothing_for_ever(app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def livelock() -> Any:
        message = await receive()
        if message["type"] == "http.disconnect":
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": b"", "more_body": True}
        return message

    await asyncio.wait_for(app(scope, livelock, send), 1)


@http_app
async def needs_headers(app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def strict(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"]
        await send(message)

    await app(scope, receive, strict)


@http_app
async def gives_the_body_again(app: Any, scope: Any, receive: Any, send: Any) -> None:
    read = False

    async def again() -> Any:
        nonlocal read
        if read:
            return {"type": "http.request", "body": b"", "more_body": False}
        message = await receive()
        read = not message.get("more_body")
        return message

    await app(scope, again, send)


def environ_spoiled(spoil: Callable[[dict[str, Any]], None]) -> Make:
    def around(app: Any) -> Any:
        def outer(environ: Any, start_response: Any) -> Any:
            environ = dict(environ)
            spoil(environ)
            return app(environ, start_response)

        return outer

    return around


def drops_chunked_bodies(environ: dict[str, Any]) -> None:
    if "CONTENT_LENGTH" not in environ:
        environ["wsgi.input"] = io.BytesIO()


def decodes_paths_as_utf8(environ: dict[str, Any]) -> None:
    environ["PATH_INFO"].encode("latin-1").decode("utf-8")


class MadeOnItsLoop:
    """A loop thread that starts when the adapter is made, and is not there in a forked child."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Any:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": environ["wsgi.input"].read()}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "headers": []}
        asyncio.run_coroutine_threadsafe(self.app(scope, receive, send), self.loop).result(3)
        start_response(f"{sent[0]['status']} OK", [])
        return [message.get("body", b"") for message in sent[1:]]


# WSGI to ASGI


def send_blocks_for_ever_when_it_fails(adapter: Any) -> Any:
    async def outer(scope: Any, receive: Any, send: Any) -> None:
        async def never(message: Any) -> None:
            try:
                await send(message)
            except OSError:
                await asyncio.sleep(1)

        await adapter(scope, receive, never)

    return outer


class FileByHand:
    """`wsgi.input` with the methods written out, and the mistakes that come of it."""

    def __init__(self, body: Any) -> None:
        self.body, self.buffer = body, b""

    def read(self, size: int = -1) -> bytes:
        self.buffer += self.body.read()
        size = len(self.buffer) if size < 0 else size
        got, self.buffer = self.buffer[:size], self.buffer[size:]
        return got

    def readline(self, size: int = -1) -> bytes:
        if size < 0:
            self.buffer += self.body.read()
        line, found, rest = self.buffer.partition(b"\n")  # what has arrived: nothing, at first
        self.buffer = rest
        return line + found

    def readlines(self, hint: int = -1) -> list[bytes]:
        return [line + b"\n" for line in self.read().split(b"\n")][:hint]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readlines())


def reads_by_hand(environ: dict[str, Any]) -> None:
    environ["wsgi.input"] = FileByHand(environ["wsgi.input"])


class EndsWhereItBreaks(io.RawIOBase):
    """`wsgi.input` for which a client that left has sent all it had to send."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self.body.read(1)
        except OSError:
            piece = self.broken()
        buffer[: len(piece)] = piece
        return len(piece)

    def broken(self) -> bytes:
        return b""


def ends_where_it_breaks(environ: dict[str, Any]) -> None:
    environ["wsgi.input"] = io.BufferedReader(EndsWhereItBreaks(environ["wsgi.input"]))


def start_response_spoiled(spoil: Callable[[Any], Any]) -> Make:
    def around(app: Any) -> Any:
        return lambda environ, start_response: app(environ, spoil(start_response))

    return around


def ignores_exc_info(start_response: Any) -> Any:
    begun = []

    def once(status: str, headers: Any, exc_info: Any = None) -> Any:
        if begun:
            return bytes
        begun.append(status)
        return start_response(status, headers)

    return once


def returns_none(start_response: Any) -> Any:
    def start(*args: Any) -> None:
        start_response(*args)

    return start


def encodes_as_ascii(start_response: Any) -> Any:
    def start(status: str, headers: Any, *more: Any) -> Any:
        for _, value in headers:
            value.encode("ascii")
        return start_response(status, headers, *more)

    return start


def sends_a_body_without_a_head(adapter: Any) -> Any:
    async def outer(scope: Any, receive: Any, send: Any) -> None:
        try:
            await adapter(scope, receive, send)
        except AssertionError:
            await send({"type": "http.response.body", "body": b"x"})

    return outer


def keeps_close_to_itself(app: Any) -> Any:
    return lambda environ, start_response: iter_only(app(environ, start_response))


class iter_only:
    def __init__(self, iterable: Any) -> None:
        self.iterable = iterable

    def __iter__(self) -> Any:
        return iter(self.iterable)


def refuses_queries_beyond_ascii(adapter: Any) -> Any:
    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["query_string"].isascii():
            await send({"type": "http.response.start", "status": 400})
            await send({"type": "http.response.body", "body": b"Too many duplicate headers"})
        else:
            await adapter(scope, receive, send)

    return outer


def needs_a_server_address(adapter: Any) -> Any:
    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["server"][0]
        await adapter(scope, receive, send)

    return outer


def forgets_the_head_of_nothing(adapter: Any) -> Any:
    async def outer(scope: Any, receive: Any, send: Any) -> None:
        held: list[Any] = []

        async def late(message: Any) -> None:
            if message["type"] == "http.response.start":
                held.append(message)
                return
            if held and message.get("body"):
                await send(held.pop())
            await send(message)

        await adapter(scope, receive, late)

    return outer


def collects_it_all(app: Any) -> Any:
    def outer(environ: Any, start_response: Any) -> Any:
        iterable = app(environ, start_response)
        try:
            return list(iterable)
        finally:
            getattr(iterable, "close", int)()

    return outer


def strips_prefixes_anywhere(environ: dict[str, Any]) -> None:
    mount, path = environ["SCRIPT_NAME"], environ["SCRIPT_NAME"] + environ["PATH_INFO"]
    root = environ["asgi.scope"]["root_path"]
    full = environ["asgi.scope"]["path"]
    environ["PATH_INFO"] = full[len(root) :] if full.startswith(root) else path[len(mount) :]


def joins_cookies_with_commas(environ: dict[str, Any]) -> None:
    if "HTTP_COOKIE" in environ:
        environ["HTTP_COOKIE"] = environ["HTTP_COOKIE"].replace("; ", ",")


def compares_names_with_case(environ: dict[str, Any]) -> None:
    if any(name == b"Content-Length" for name, _ in environ["asgi.scope"]["headers"]):
        environ["HTTP_CONTENT_LENGTH"] = environ.pop("CONTENT_LENGTH")


def queues_without_bounds(adapter: Any) -> Any:
    """Takes whatever comes, and sends it when it can."""

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                await send(await queue.get())

        sending = asyncio.create_task(deliver())
        try:
            await adapter(scope, receive, queue.put)
            await asyncio.sleep(0.01)
        finally:
            sending.cancel()

    return outer


# Middleware


def closes_nothing(app: Any) -> Any:
    """localstack's bridge: the response is iterated, its close() is nobody's business."""
    return lambda environ, start_response: (chunk for chunk in app(environ, start_response))


class closes_the_iterator:
    """Werkzeug's old ClosingIterator: closes what iter() gave, not what the app returned."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.iterator = iter(self.app(environ, start_response))
        return self

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> bytes:
        return bytes(next(self.iterator))

    def close(self) -> None:
        getattr(self.iterator, "close", int)()


def holds_the_head_back(app: Any) -> Any:
    """slowapi's: http.response.start waits for the first body message."""
    return forgets_the_head_of_nothing(app)


# Clients, servers and apps


def httpx_like_client(app: Any) -> None:
    """httpx.WSGITransport's environ: a path beyond latin-1, the last of two headers, no write()."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/☃",
        "QUERY_STRING": "",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        return lambda data: None

    iterable = app(environ, start_response)
    list(iterable)
    getattr(iterable, "close", int)()


async def test_client_scope(app: Any) -> None:
    """The scope of Starlette's and Litestar's test clients: no `asgi`, a query in raw_path."""
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/a", "raw_path": b"/a?q=1"}
    scope |= {"query_string": b"q=1", "headers": [(b"host", b"x")], "scheme": "http", "root_path": ""}

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None: ...

    await app(scope, receive, send)


async def streams_on_after_the_client_left(scope: Any, receive: Any, send: Any) -> None:
    """Old Django: nobody looks at receive() while the body streams."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        await asyncio.sleep(0.001)


async def takes_a_disconnect_for_the_end(scope: Any, receive: Any, send: Any) -> None:
    """Old Django: a truncated upload is handed to the view."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def dispatcher(mounts: dict[str, Any]) -> Any:
    """hypercorn's: a prefix is a prefix anywhere, and every refusal is an http response."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for path, inner in mounts.items():
            if scope["path"].startswith(path):
                await inner(scope, receive, send)
                return
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body"})

    return app
