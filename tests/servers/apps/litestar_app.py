"""The routes of every cell as a Litestar app; see `cells/_checks.py` for what is asked of them."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get, head, post
from litestar.datastructures import Cookie, State
from litestar.params import FromPath, FromQuery
from litestar.response import Stream
from litestar.types import Scope

from . import _asgi_parts as streams
from . import _parts as parts


@get("/hello", media_type=MediaType.TEXT)
async def hello() -> str:
    return "hello"


@head("/hello")
async def hello_head() -> Response[None]:
    return Response(None, media_type=MediaType.TEXT, headers={"Content-Length": "5"})


@post("/echo", status_code=200, media_type="application/octet-stream")
async def echo(request: Request[Any, Any, State]) -> bytes:
    return await request.body()


@get("/stream")
async def stream(door: FromQuery[int], pieces: FromQuery[int]) -> Stream:
    return Stream(streams.gated(parts.Door(door), pieces))


@get("/endless")
async def endless(door: FromQuery[int], pause: FromQuery[float]) -> Stream:
    return Stream(streams.endless(parts.Door(door), pause))


@get("/cookies")
async def cookies(request: Request[Any, Any, State]) -> Response[dict[str, str]]:
    given = [Cookie("first", value="1"), Cookie("second", value="two words")]
    return Response(request.cookies, cookies=given)


@get("/show/{rest:path}")
async def show(request: Request[Any, Any, State], rest: FromPath[str]) -> dict[str, Any]:
    return {"rest": rest.lstrip("/")}


@get("/status/204", status_code=204)
async def status() -> None: ...


@get("/error")
async def error(tag: FromQuery[str]) -> None:
    raise RuntimeError(f"boom before the head {tag}")


@get("/state")
async def state(state: State) -> dict[str, Any]:
    return parts.state_report(state.lifespan)


async def log_exception(error: Exception, scope: Scope) -> None:
    logging.getLogger("shop").error("the handler failed", exc_info=error)


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    async with parts.lifespan() as app.state.lifespan:
        yield


app = Litestar(
    [hello, hello_head, echo, stream, endless, cookies, show, status, error, state],
    lifespan=[lifespan],
    # Its own logging writes from a thread, which does not survive a fork: gunicorn --preload, uWSGI.
    logging_config=None,
    after_exception=[log_exception],
)
