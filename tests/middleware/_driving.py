"""One neutral app, one neutral peer, both conventions: a test of a layer is written once.

    def test_the_id_reaches_the_client(drive: Drive) -> None:
        answer = drive(request_id(), App(b"hello"), headers={"X-Request-ID": "abc"})
        assert answer.header("x-request-id") == "abc"

`drive` runs the test under WSGI and under ASGI.  It never raises what the app or a layer raised: see `answer.error`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from anysgi.middleware import Request, Stack
from anysgi.testing import Scenario, SendFails, arun, run

if TYPE_CHECKING:
    from anysgi.testing import Exchange
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
        answer, scenario = Answer(), ask.scenario(leaves_after)
        around = ask.around(app, answer, self.convention)
        return _answered(answer, run(around, scenario, convention=self.convention, bound=BOUND, inline=True))

    def serve_all(
        self, app: Any, asks: Iterable[Ask], aclose: Callable[[], Awaitable[object]] | None = None
    ) -> list[Answer]:
        """Run several requests one after another.

        Under ASGI on one loop, as clients of stores are bound to theirs, and `aclose` is awaited there at the end.
        """
        if self.convention == "wsgi":
            return [self.serve(app, ask) for ask in asks]

        async def one(ask: Ask) -> Answer:
            answer = Answer()
            around = ask.around(app, answer, "asgi")
            return _answered(answer, await arun(around, ask.scenario(), convention="asgi", bound=BOUND))

        async def serve() -> list[Answer]:
            try:
                return [await one(ask) for ask in asks]
            finally:
                if aclose is not None:
                    await aclose()

        return asyncio.run(serve())

    def request(self, **options: Any) -> Request:
        """A request view of the convention, for tests of functions that take one."""
        from anysgi.middleware._engine._asgi_request import asgi_request
        from anysgi.middleware._engine._wsgi_request import wsgi_request

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

    def scenario(self, leaves_after: int | None = None) -> Scenario:
        """The same for the testing kit; what it has no word for, or no client could send, is put in by `around`."""
        known = {"scheme": "http", "client": "127.0.0.1", "root_path": "", **self.native}
        chunked = [] if isinstance(self.body, bytes) else [("transfer-encoding", "chunked")]
        path = known["root_path"] + (self.path if self.path.startswith("/") else "/")
        return Scenario(
            self.method,
            quote(path, safe="/%:@!$&'()*+,;=~") + (f"?{self.query}" if self.query else ""),
            [*chunked, *(pair for pair in self.headers if pair not in self._lengths)],
            [self.body] if self.body and isinstance(self.body, bytes) else self.body or (),
            tls=known["scheme"] == "https",
            root_path=known["root_path"],
            client=known["client"] and (known["client"], 5000),
            peer=[] if leaves_after is None else [SendFails(at=2 + leaves_after, error=OSError)],
        )

    def environ(self) -> dict[str, Any]:
        """The environ of this request, for apps that are called by hand."""
        return self._in_environ(run(_no_answer, self.scenario(), convention="wsgi", inline=True).request)

    def scope(self) -> dict[str, Any]:
        """The scope of this request, for apps that are called by hand."""
        return self._in_scope(run(_no_answer, self.scenario(), convention="asgi", inline=True).request)

    @property
    def _lengths(self) -> list[tuple[str, str]]:
        """The Content-Length a test gave, which may well be wrong."""
        return [pair for pair in self.headers if pair[0].lower() == "content-length"]

    @property
    def _odd(self) -> str | None:
        """A target that is no path."""
        return None if self.path.startswith("/") else self.path

    @property
    def _native(self) -> dict[str, Any]:
        return {key: value for key, value in self.native.items() if key not in ("scheme", "client", "root_path")}

    def _in_environ(self, environ: dict[str, Any]) -> dict[str, Any]:
        odd = {} if self._odd is None else {"PATH_INFO": self._odd}
        length = {"CONTENT_LENGTH": self._lengths[0][1]} if self._lengths else {}
        return {**environ, **odd, **length, **self._native}

    def _in_scope(self, scope: dict[str, Any]) -> dict[str, Any]:
        odd = {} if self._odd is None else {"path": self._odd, "raw_path": self._odd.encode()}
        lengths = [(b"content-length", value.encode("latin-1")) for _, value in self._lengths]
        given = [pair for pair in scope["headers"] if not (lengths and pair[0] == b"content-length")]
        return {**scope, **odd, "headers": given + lengths, **self._native}

    def around(self, app: Any, answer: Answer, convention: Convention) -> Any:
        """The app, given the native keys; what it returns or sends is `answer.raw`."""

        def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
            started: list[Any] = []
            answer.raw = app(self._in_environ(environ), lambda *head: started.append(head) or start_response(*head))
            assert started, "start_response() must be called before the app returns: granian looks no later"
            return answer.raw

        async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
            answer.raw = []

            async def noted(message: Any) -> None:
                answer.raw.append(message)
                await send(message)

            await app(self._in_scope(scope), receive, noted)

        return wsgi if convention == "wsgi" else asgi


def _no_answer(*_: Any) -> Any:
    raise NotImplementedError  # the request is all that is wanted


def _answered(answer: Answer, exchange: Exchange) -> Answer:
    answer.status = exchange.status or 0
    answer.headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in exchange.headers]
    answer.chunks = [] if exchange.scenario.method == "HEAD" else exchange.chunks
    answer.complete, answer.error = exchange.complete, exchange.exception
    return answer


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    return list(fields.items() if isinstance(fields, Mapping) else fields)
