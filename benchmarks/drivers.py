"""Plays the server for one request: an ASGI server for `call_asgi`, a WSGI server for `call_wsgi`.

Both count what the adapter hands over and raise `WrongAnswerError` when a byte, the status or the end is missing.  They
behave like real servers where it matters: `receive()` waits for a disconnect once the body is out, `send()` does not
suspend while the socket has room, `wsgi.input` is read in any size, `close()` is called.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from benchmarks.payload import HELLO, SMALL, crc_of, flat, pieces

REQUEST_HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"cookie", b"session=eyJ1c2VyIjo0Mn0.abcdefghijklmnop"),
    (b"connection", b"keep-alive"),
]


class WrongAnswerError(Exception):
    """The adapter was fast, slow or whatever, but the answer is not the one the application gave."""


@dataclass(frozen=True)
class Request:
    """What is asked for and how many bytes must come back; `upload` and `size` are in bytes."""

    kind: str
    size: int = 0

    @property
    def upload(self) -> int:
        return self.size if self.kind == "upload" else 0

    @property
    def answer(self) -> int:
        if self.kind == "stream":
            return self.size * len(SMALL)
        return self.size if self.kind == "download" else len(HELLO)

    def query(self, check: bool) -> str:
        return "" if self.kind == "hello" else f"{self.size}&crc" if check and self.kind != "stream" else str(self.size)


def _judge(request: Request, status: int, count: int, body: bytes | None, crc: int | None) -> None:
    """`body` is the whole answer of an upload; `crc` is None where it was not computed."""
    if status != 200:
        raise WrongAnswerError(f"status {status} instead of 200")
    if body is not None:
        _judge_upload(request, body, crc is not None)
    elif count != request.answer:
        raise WrongAnswerError(f"{count} bytes came out instead of {request.answer}")
    elif crc is not None and request.kind == "download" and crc != crc_of(request.size):
        raise WrongAnswerError("the bytes are not the ones the application sent (CRC)")


def _judge_upload(request: Request, body: bytes, check: bool) -> None:
    count, crc = (int(word) for word in body.split())
    if count != request.upload:
        raise WrongAnswerError(f"the application read {count} bytes instead of {request.upload}")
    if check and crc != crc_of(request.upload):
        raise WrongAnswerError("the bytes are not the ones the client sent (CRC)")


class Tally:
    """Sums up one response."""

    __slots__ = ("body", "count", "crc", "status")

    def __init__(self, keep_body: bool, check: bool) -> None:
        self.status = self.count = 0
        self.body: list[bytes] | None = [] if keep_body else None
        self.crc: int | None = 0 if check else None

    def add(self, chunk: bytes) -> None:
        self.count += len(chunk)
        if self.body is not None:
            self.body.append(chunk)
        if self.crc is not None:
            self.crc = zlib.crc32(chunk, self.crc)

    def judge(self, request: Request) -> None:
        body = None if self.body is None else b"".join(self.body)
        _judge(request, self.status, self.count, body, self.crc)


class Connection:
    """The two callables an ASGI server hands to the application, for one request."""

    __slots__ = ("_gone", "_left", "_pieces", "complete", "tally")

    def __init__(self, request: Request, check: bool) -> None:
        self.tally = Tally(request.upload > 0, check)
        self.complete = False
        self._left = request.upload
        self._pieces: Iterator[bytes] = pieces(request.upload) if request.upload else iter((b"",))
        self._gone: asyncio.Event | None = None

    async def receive(self) -> dict[str, Any]:
        piece = next(self._pieces, None)
        if piece is not None:
            self._left -= len(piece)
            return {"type": "http.request", "body": piece, "more_body": self._left > 0}
        if not self.complete:
            self._gone = self._gone or asyncio.Event()  # an event: a watcher and the app may both wait
            await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if self.complete:
            raise WrongAnswerError("a message after the end of the response")
        if message["type"] == "http.response.start":
            self.tally.status = message["status"]
            return
        if not self.tally.status:
            raise WrongAnswerError("a body before the head")
        self.tally.add(message.get("body", b""))
        if not message.get("more_body", False):
            self.complete = True
            if self._gone is not None:
                self._gone.set()


def scope_for(request: Request, check: bool = False) -> dict[str, Any]:
    headers = list(REQUEST_HEADERS)
    if request.upload:
        headers.append((b"content-length", b"%d" % request.upload))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST" if request.upload else "GET",
        "scheme": "http",
        "path": "/shop/items",
        "raw_path": b"/shop/items",
        "query_string": request.query(check).encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 54321),
        "server": ("127.0.0.1", 8000),
        "state": {},
        "extensions": {},
    }


async def call_asgi(app: Any, request: Request, check: bool = False) -> None:
    """One request through an ASGI application."""
    connection = Connection(request, check)
    await app(scope_for(request, check), connection.receive, connection.send)
    if not connection.complete:
        raise WrongAnswerError("the response has no end")
    connection.tally.judge(request)


class Source:
    """`wsgi.input` over an endless body cut at `size`: what PEP 3333 asks for and no more."""

    def __init__(self, size: int) -> None:
        self.size, self.position = size, 0

    def read(self, size: int = -1) -> bytes:
        left = self.size - self.position
        piece = flat(self.position, left if size < 0 else min(size, left))
        self.position += len(piece)
        return piece

    def readline(self, limit: int = -1) -> bytes:
        return self.read(limit)  # the body is one long line

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(65536):
            yield piece


def environ_for(request: Request, check: bool = False) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST" if request.upload else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/shop/items",
        "RAW_URI": "/shop/items",
        "QUERY_STRING": request.query(check),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "54321",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": Source(request.upload) if request.upload else BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in REQUEST_HEADERS:
        environ["HTTP_" + name.decode().upper().replace("-", "_")] = value.decode()
    if request.upload:
        environ["CONTENT_LENGTH"] = str(request.upload)
    return environ


def call_wsgi(app: Any, request: Request, check: bool = False) -> None:
    """One request through a WSGI application."""
    tally = Tally(request.upload > 0, check)

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        tally.status = int(status[:3])
        return tally.add

    result = app(environ_for(request, check), start_response)
    try:
        for chunk in result:
            if not tally.status:
                raise WrongAnswerError("a body before the head")
            tally.add(chunk)
    finally:
        if hasattr(result, "close"):
            result.close()
    tally.judge(request)
