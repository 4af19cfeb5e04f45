"""The raw applications of the in-process cases, one pair a case: a WSGI one and an ASGI one that do the same.

They do as little as the convention allows, so that what is measured is the adapter.  Sizes travel in the query string
(`16777216` or, to have the CRC checked, `16777216&crc`), so one function serves every size.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from benchmarks.payload import HELLO, PIECE, SMALL, pieces

PLAIN = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(HELLO)))]
PLAIN_BYTES = [(name.lower().encode(), value.encode()) for name, value in PLAIN]
STREAM = [("Content-Type", "text/event-stream")]
STREAM_BYTES = [(b"content-type", b"text/event-stream")]


def _query(text: str) -> tuple[int, bool]:
    size, _, check = text.partition("&")
    return int(size or 0), check == "crc"


def wsgi_hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", PLAIN)
    return [HELLO]


def wsgi_stream(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", STREAM)
    for _ in range(int(environ["QUERY_STRING"])):
        yield SMALL


def wsgi_download(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    size, _ = _query(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    return pieces(size)


def wsgi_upload(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Reads the body in 64 KiB pieces; answers with its length and, if asked, its CRC."""
    _, check = _query(environ["QUERY_STRING"])
    body, left, total, crc = environ["wsgi.input"], int(environ["CONTENT_LENGTH"]), 0, 0
    while left and (piece := body.read(min(PIECE, left))):
        total, left = total + len(piece), left - len(piece)
        crc = zlib.crc32(piece, crc) if check else 0
    answer = b"%d %d" % (total, crc)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]


def _start(headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": headers}


def _body(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def asgi_hello(scope: Any, receive: Any, send: Any) -> None:
    await send(_start(PLAIN_BYTES))
    await send(_body(HELLO))


async def asgi_stream(scope: Any, receive: Any, send: Any) -> None:
    await send(_start(STREAM_BYTES))
    for _ in range(int(scope["query_string"])):
        await send(_body(SMALL, True))
    await send(_body(b""))


async def asgi_download(scope: Any, receive: Any, send: Any) -> None:
    size, _ = _query(scope["query_string"].decode())
    await send(_start([(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % size)]))
    for piece in pieces(size):
        await send(_body(piece, True))
    await send(_body(b""))


async def asgi_upload(scope: Any, receive: Any, send: Any) -> None:
    _, check = _query(scope["query_string"].decode())
    total, crc, more = 0, 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise OSError("the client left")
        piece, more = message.get("body", b""), message.get("more_body", False)
        total += len(piece)
        crc = zlib.crc32(piece, crc) if check else 0
    answer = b"%d %d" % (total, crc)
    await send(_start([(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(answer))]))
    await send(_body(answer))
