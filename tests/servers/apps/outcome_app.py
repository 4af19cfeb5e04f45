"""An endless stream inside a layer that tells how each response ended; `application` is for WSGI servers."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import anyio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from anysgi.middleware import Flow, Outcome, Request, Response, middleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PIECE = b"a piece of a stream\n" * 100
PAUSE = 0.01  # seconds between two pieces


@middleware
def tell(request: Request) -> Flow:
    response: Response = yield request
    outcome: Outcome = yield response
    sys.stderr.write(f"{request.path}: {outcome.kind}\n")


async def pieces() -> AsyncIterator[bytes]:
    while True:
        yield PIECE
        await anyio.sleep(PAUSE)


async def hello(request: Any) -> Any:
    return PlainTextResponse("hello")


async def stream(request: Any) -> Any:
    return StreamingResponse(pieces())


asgi_application = tell(Starlette(routes=[Route("/hello", hello), Route("/stream", stream)]))


def wsgi_pieces() -> Iterator[bytes]:
    pause = threading.Event()
    while not pause.wait(PAUSE):
        yield PIECE


def wsgi_app(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return wsgi_pieces() if environ["PATH_INFO"] == "/stream" else [b"hello"]


application = tell(wsgi_app)
