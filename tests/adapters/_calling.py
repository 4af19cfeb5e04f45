"""One request to a WSGI app, and programs in processes of their own.

`fetch` has it served by `anysgi.testing`; where a `Scenario` can say what the server and its client do, tests call
`anysgi.testing.run`.  `WsgiPeer` is for what it cannot: a server that stops, closes or forgets a response while the app
is silent, at a moment of the test's choosing; and a look at the iterable itself, as servers take one.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any

from anysgi.testing import run
from tests.conftest import BOUND

if TYPE_CHECKING:
    from collections.abc import Callable

    from anysgi.testing import Exchange

    from ._driving import Message


class Input:
    """A `wsgi.input` that counts its reads; `gate`, if given, holds each of them up."""

    def __init__(self, body: bytes = b"", gate: threading.Event | None = None, error: Exception | None = None) -> None:
        self._body, self._gate, self._error = io.BytesIO(body), gate, error
        self.reads = 0
        self.reading = threading.Event()

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        self.reading.set()
        if self._gate is not None:
            assert self._gate.wait(BOUND)
        if self._error is not None:
            raise self._error
        return self._body.read(size)


def make_environ(
    method: str = "GET", path: str = "/", body: bytes | Input | None = None, **more: Any
) -> dict[str, Any]:
    """A request; a body given as bytes comes with its CONTENT_LENGTH.  `None` leaves a key out."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "testserver",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body if isinstance(body, Input) else io.BytesIO(body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if isinstance(body, bytes):
        environ["CONTENT_LENGTH"] = str(len(body))
    environ.update({key.replace("wsgi_", "wsgi."): value for key, value in more.items()})
    return {key: value for key, value in environ.items() if value is not None}


class WsgiPeer:
    """A WSGI server's side of one request: it has called the app, and holds what that returned.

    Attributes:
        heads: the (status, headers, exc_info) of every `start_response`.
        chunks: what was read so far.
        errors: the text in `wsgi.errors`.
    """

    def __init__(self, app: Any, /, *args: Any, **more: Any) -> None:
        self.environ = make_environ(*args, **more)
        self.heads: list[tuple[str, list[tuple[str, str]], Any]] = []
        self.chunks: list[bytes] = []
        self.iterable = app(self.environ, self.start_response)
        self._iterator = iter(self.iterable)

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.heads.append((status, headers, exc_info))
        return self.chunks.append

    def read(self) -> bytes:
        """The next chunk, `b""` at the end."""
        chunk = next(self._iterator, b"")
        self.chunks.append(chunk)
        return chunk

    def finish(self) -> WsgiPeer:
        """Read everything there is, then close."""
        try:
            self.chunks.extend(self._iterator)
        finally:
            self.close()
        return self

    def close(self) -> None:
        getattr(self.iterable, "close", lambda: None)()

    @property
    def status(self) -> str:
        return self.heads[-1][0]

    @property
    def headers(self) -> list[tuple[str, str]]:
        return self.heads[-1][1]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def errors(self) -> str:
        return str(self.environ["wsgi.errors"].getvalue())


class Fetched:
    """A `WsgiPeer` that is done; the testing kit's server served it."""

    def __init__(self, environ: dict[str, Any], heads: list[Any], exchange: Exchange) -> None:
        self.environ, self.heads = environ, heads
        self.status = f"{exchange.status} {exchange.reason}"
        self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in exchange.headers]
        self.chunks, self.body = exchange.chunks, exchange.body

    @property
    def errors(self) -> str:
        return str(self.environ["wsgi.errors"].getvalue())


def fetch(app: Any, /, *args: Any, **more: Any) -> Fetched:
    """One request to its end; nothing is left suspended."""
    environ = make_environ(*args, **more)
    heads: list[Any] = []

    def called(_: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            heads.append((status, headers, exc_info))
            return start_response(status, headers, exc_info)

        return app(environ, start)

    exchange = run(called, convention="wsgi", inline=True).raise_for_exception()
    assert [leak for leak in exchange.leaks if leak.kind == "generator"] == []
    return Fetched(environ, heads, exchange)


def head(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def asgi_app(*messages: Message) -> Callable[..., Any]:
    """An ASGI app that only sends; without a lifespan."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        app.scope = scope  # type: ignore[attr-defined]
        assert scope["type"] == "http"
        for message in messages:
            await send(dict(message))

    return app


def run_script(script: str) -> str:
    """Run a program in a process of its own, with debug mode and warnings as errors; return what it printed."""
    program = textwrap.dedent(script)
    ready = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONASYNCIODEBUG": "1"},
        check=False,
    )
    assert ready.returncode == 0, ready.stderr
    assert "Traceback" not in ready.stderr, ready.stderr
    return ready.stdout
