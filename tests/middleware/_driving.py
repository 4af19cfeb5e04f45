"""One neutral app, one neutral peer, both conventions: a test of a layer is written once.

    def test_the_id_reaches_the_client(drive: Drive) -> None:
        answer = drive(request_id(), App(b"hello"), headers={"X-Request-ID": "abc"})
        assert answer.header("x-request-id") == "abc"

`drive` runs the test under WSGI and under ASGI.  It never raises what the app or a layer raised: see `answer.error`.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from anysgi.middleware import Request, Stack

if TYPE_CHECKING:
    from anysgi.types import Convention

BOUND = 10.0  # seconds
Fields = Mapping[str, str] | Iterable[tuple[str, str]]


class App:
    """A neutral app: `app.wsgi` and `app.asgi` do the same.

    Args:
        chunks: pieces of body; an exception among them is raised there, a function is called there, and what it
            returns, if anything, is the chunk.  One chunk with `shape="list"` is the one-piece body.
        status, headers: of the response.
        shape: `"list"` returns a list under WSGI, and sends the last chunk with `more_body: False` under ASGI;
            `"stream"` returns a generator, and ends with an empty message.
        raises: raised before the head, instead of a response.
        reads: read the whole request body first, into `app.received`.
        head_first: under WSGI, call `start_response` before returning; else at the first `next()`.

    Attributes:
        calls: how often it was called.
        closed: how often its WSGI iterable was closed.
        request: the environ or scope of the last call.
        received: the request body of the last call.
    """

    def __init__(
        self,
        *chunks: Any,
        status: int = 200,
        headers: Fields = (),
        shape: Literal["list", "stream"] = "list",
        raises: BaseException | None = None,
        reads: bool = False,
        head_first: bool = True,
    ) -> None:
        self.chunks, self.status, self.headers = chunks, status, _pairs(headers)
        self.shape, self.raises, self.reads, self.head_first = shape, raises, reads, head_first
        self.calls = self.closed = 0
        self.request: dict[str, Any] = {}
        self.received = b""

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self._called(environ)
        if self.reads:
            self.received = environ["wsgi.input"].read()
        if self.raises is not None:
            raise self.raises
        head = (f"{self.status} Status", list(self.headers))
        if self.head_first:
            start_response(*head)
        if self.shape == "list" and self.head_first and not any(map(_acts, self.chunks)):
            return list(self.chunks)
        return _Iterable(self, None if self.head_first else lambda: start_response(*head))

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self._called(scope)
        if self.reads:
            self.received = await _received(receive)
        if self.raises is not None:
            raise self.raises
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        chunks = self.chunks or (b"",)
        last = len(chunks) - 1 if self.shape == "list" else len(chunks)
        for at, chunk in enumerate(chunks):
            await send({"type": "http.response.body", "body": _made(chunk), "more_body": at < last})
        if self.shape == "stream":
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _called(self, request: Any) -> None:
        self.calls += 1
        self.request = request


def _acts(chunk: Any) -> bool:
    return isinstance(chunk, BaseException) or callable(chunk)


def _made(chunk: Any) -> bytes:
    if isinstance(chunk, BaseException):
        raise chunk
    made: bytes = (chunk() or b"") if callable(chunk) else chunk
    return made


class _Iterable:
    """What the neutral app returns under WSGI when it streams; `close()` is on it, not on its iterator."""

    def __init__(self, app: App, start: Callable[[], object] | None) -> None:
        self._app, self._start = app, start

    def __iter__(self) -> Any:
        if self._start is not None:
            self._start()
        return map(_made, self._app.chunks)

    def close(self) -> None:
        self._app.closed += 1


async def _received(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise OSError("the client left")
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


@dataclass
class Answer:
    """What the peer saw, the same in both conventions.

    Attributes:
        status: 0 if no head came.
        headers: (lowercased name, value) pairs.
        chunks: pieces of body, without the empty ones.
        complete: the response came to a clean end.
        error: what the server caught.
        raw: what the stack returned (WSGI) or the messages it sent (ASGI).
    """

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    complete: bool = False
    error: BaseException | None = None
    raw: Any = None

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str | None:
        """The one value of a header, None if it is absent."""
        values = self.getlist(name)
        assert len(values) < 2, f"{name} is there {len(values)} times"
        return values[0] if values else None

    def getlist(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field == name.lower()]


class Drive:
    """Runs one request through a stack around an app.

    Args:
        convention: `"wsgi"` or `"asgi"`.
    """

    def __init__(self, convention: Convention) -> None:
        self.convention = convention

    def wrap(self, stack: Any, app: Any) -> Any:
        """The stack around the app, in the convention of the test."""
        inner = getattr(app, self.convention, app)
        return getattr(Stack(stack), self.convention)(inner)

    def __call__(
        self,
        stack: Any,
        app: Any = None,
        *,
        method: str = "GET",
        path: str = "/",
        query: str = "",
        headers: Fields = (),
        body: bytes | Iterable[bytes] = b"",
        leaves_after: int | None = None,
        **native: Any,
    ) -> Answer:
        """Run one request to its end; nothing is raised.

        Args:
            stack: a layer, a middleware or a stack; already wrapped apps go through `serve`.
            app: an `App`, or any app of the convention; by default `App(b"hello")`.
            body: the request body; bytes come with a Content-Length, several pieces without (chunked).
            leaves_after: pieces of body after which the client is gone: WSGI stops iterating and closes, ASGI's
                `send` raises `OSError` for the next.
            native: more keys of the environ or scope, such as `client="10.0.0.1"` and `scheme="https"`, which are
                understood in both.
        """
        wrapped = self.wrap(stack, App(b"hello") if app is None else app)
        return self.serve(wrapped, Ask(method, path, query, _pairs(headers), body, native), leaves_after)

    def serve(self, app: Any, ask: Ask, leaves_after: int | None = None) -> Answer:
        """Run one request through an app that is wrapped already."""
        if self.convention == "wsgi":
            return _serve_wsgi(app, ask, leaves_after)
        return asyncio.run(asyncio.wait_for(_serve_asgi(app, ask, leaves_after), BOUND), debug=False)  # debug is slow

    def serve_all(
        self, app: Any, asks: Iterable[Ask], aclose: Callable[[], Awaitable[object]] | None = None
    ) -> list[Answer]:
        """Run several requests one after another.

        Under ASGI on one loop, as clients of stores are bound to theirs, and `aclose` is awaited there at the end.
        """
        if self.convention == "wsgi":
            return [_serve_wsgi(app, ask, None) for ask in asks]

        async def serve() -> list[Answer]:
            try:
                return [await _serve_asgi(app, ask, None) for ask in asks]
            finally:
                if aclose is not None:
                    await aclose()

        return asyncio.run(asyncio.wait_for(serve(), BOUND))

    def request(self, **options: Any) -> Request:
        """A request view of the convention, for tests of functions that take one."""
        from anysgi.middleware._asgi_request import asgi_request
        from anysgi.middleware._wsgi_request import wsgi_request

        ask = Ask(**{**options, "headers": _pairs(options.get("headers", ()))})
        return wsgi_request(ask.environ()) if self.convention == "wsgi" else asgi_request(ask.scope())


@dataclass
class Ask:
    """A neutral request."""

    method: str = "GET"
    path: str = "/"
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Iterable[bytes] = b""
    native: dict[str, Any] = field(default_factory=dict)

    @property
    def pieces(self) -> list[bytes]:
        return [self.body] if isinstance(self.body, bytes) else list(self.body)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The headers, with the ones every client sends."""
        given = {name.lower() for name, _ in self.headers}
        fields = [] if "host" in given else [("host", "testserver")]
        if isinstance(self.body, bytes):
            if self.body and "content-length" not in given:
                fields.append(("content-length", str(len(self.body))))
        else:
            fields.append(("transfer-encoding", "chunked"))
        return [*fields, *self.headers]

    def environ(self) -> dict[str, Any]:
        native = {"scheme": "http", "client": "127.0.0.1", "root_path": "", **self.native}
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": native.pop("root_path"),
            "PATH_INFO": self.path.encode().decode("latin-1"),
            "QUERY_STRING": self.query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": native.pop("client") or "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": native.pop("scheme"),
            "wsgi.input": io.BytesIO(b"".join(self.pieces)),
            "wsgi.input_terminated": True,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.fields:
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = f"{environ[key]}, {value}" if key in environ else value
        return {**environ, **native}

    def scope(self) -> dict[str, Any]:
        native = {"scheme": "http", "client": "127.0.0.1", "root_path": "", **self.native}
        client = native.pop("client")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.method,
            "path": native["root_path"] + self.path,
            "raw_path": (native["root_path"] + self.path).encode(),
            "query_string": self.query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in self.fields],
            "client": client and (client, 5000),
            "server": ("testserver", 80),
            "extensions": {},
            **native,
        }


def _serve_wsgi(app: Any, ask: Ask, leaves_after: int | None) -> Answer:
    answer = Answer()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info and answer.chunks:
            raise exc_info[1]
        answer.status, answer.headers = int(status[:3]), [(name.lower(), value) for name, value in headers]
        return lambda data: answer.chunks.append(data)

    iterable = None
    try:
        answer.raw = iterable = app(ask.environ(), start_response)
        assert answer.status, "start_response() must be called before the app returns: granian looks no later"
        chunks = iter(iterable)
        while leaves_after is None or len(answer.chunks) < leaves_after:
            chunk = next(chunks, None)
            if chunk is None:
                answer.complete = True
                break
            assert isinstance(chunk, bytes)
            answer.chunks += [chunk] if chunk else []
    except BaseException as error:
        answer.error = error
    finally:
        try:
            getattr(iterable, "close", lambda: None)()
        except BaseException as error:
            answer.error = error
    if ask.method == "HEAD":
        answer.chunks.clear()
    return answer


async def _serve_asgi(app: Any, ask: Ask, leaves_after: int | None) -> Answer:
    answer = Answer(raw=[])
    pieces = ask.pieces
    script = [
        {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1} for at, piece in enumerate(pieces)
    ]

    ended = asyncio.Event()

    async def receive() -> Any:
        if script:
            return script.pop(0)
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        assert not answer.complete, f"sent after the end: {message}"
        if leaves_after is not None and len(answer.chunks) >= leaves_after and message.get("body"):
            ended.set()
            raise OSError("the client left")
        answer.raw.append(message)
        if message["type"] == "http.response.start":
            assert not answer.status, "two heads"
            answer.status = message["status"]
            answer.headers = [(str(n, "latin-1").lower(), str(v, "latin-1")) for n, v in message.get("headers", ())]
        elif message["type"] == "http.response.body":
            assert answer.status, "a body before its head"
            body = message.get("body", b"")
            answer.chunks += [body] if body else []
            answer.complete = not message.get("more_body")
            if answer.complete:
                ended.set()

    try:
        await app(ask.scope(), receive, send)
    except BaseException as error:
        answer.error = error
    if ask.method == "HEAD":
        answer.chunks.clear()
    return answer


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    return list(fields.items() if isinstance(fields, Mapping) else fields)
