"""The same small apps in both conventions, for tests of the kit itself."""

from __future__ import annotations

from typing import Any


def wsgi_echo(environ: Any, start_response: Any) -> Any:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Method", environ["REQUEST_METHOD"])])
    return [body]


async def asgi_echo(scope: Any, receive: Any, send: Any) -> None:
    body = await whole(receive)
    headers = [(b"content-type", b"text/plain"), (b"x-method", scope["method"].encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def whole(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("truncated")
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def wsgi_stream(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    yield b"one"
    yield b""
    yield b"two"
    yield b"three"


async def asgi_stream(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200})
    for piece in (b"one", b"", b"two", b"three"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


ECHO = {"wsgi": wsgi_echo, "asgi": asgi_echo}
STREAM = {"wsgi": wsgi_stream, "asgi": asgi_stream}
