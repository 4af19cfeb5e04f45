"""Apps without a framework: ASGI 2, plain WSGI functions, an undecided wrapper."""

import itertools
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any


class Old:
    """An ASGI 2 double callable."""

    def __init__(self, scope: dict[str, Any]) -> None:
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']} here")

    async def __call__(self, receive: Callable[[], Any], send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
        await send({"type": "http.response.body", "body": b"old"})


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


def endless(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return itertools.repeat(bytes(1000))


async def long_poll(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[..., Awaitable[None]]) -> None:
    if scope["type"] == "http":
        sys.stderr.write(f"asked for news: {(await receive())['type']}\n")
        sys.stderr.write(f"told of the end: {(await receive())['type']}\n")


def undecided(*arguments: Any) -> Any:
    return hello(*arguments)
