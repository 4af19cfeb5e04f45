"""A stream of which `digest` and `server_timing` say more at its end, where the server takes trailers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from anysgi.middleware import Stack, digest, server_timing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def stream(request: Request) -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"hel"
        yield b"lo"

    return StreamingResponse(pieces())


stack = Stack(server_timing(), digest(always=True))
application = stack(Starlette(routes=[Route("/hello", hello), Route("/stream", stream)]))
