"""The routes of every cell as a Falcon ASGI app; see `cells/_checks.py` for what is asked of them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import falcon
import falcon.asgi
from falcon.asgi import Request, Response

from . import _asgi_parts as streams
from . import _parts as parts


class Hello:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "hello"

    on_head = on_get


class Echo:
    async def on_post(self, req: Request, resp: Response) -> None:
        resp.content_type = "application/octet-stream"
        resp.data = await req.stream.read()


class Stream:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.stream = streams.gated(parts.door_of(req.params), req.get_param_as_int("pieces", required=True))


class Endless:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.stream = streams.endless(parts.door_of(req.params), req.get_param_as_float("pause", required=True))


class Cookies:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.set_cookie("first", "1", secure=False)
        resp.set_cookie("second", "two words", secure=False)
        resp.media = req.cookies


class Show:
    async def on_get(self, req: Request, resp: Response, rest: str) -> None:
        resp.media = {"rest": rest}


class Status:
    async def on_get(self, req: Request, resp: Response, status: int) -> None:
        resp.status = status


class Error:
    async def on_get(self, req: Request, resp: Response) -> None:
        raise RuntimeError(f"boom before the head {req.get_param('tag')}")


class State:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.media = parts.state_report(req.scope["state"])


class Lifespan:
    """Falcon hands the lifespan to middleware."""

    def __init__(self) -> None:
        self.stack = AsyncExitStack()

    async def process_startup(self, scope: dict[str, Any], event: dict[str, Any]) -> None:
        scope["state"].update(await self.stack.enter_async_context(parts.lifespan()))

    async def process_shutdown(self, scope: dict[str, Any], event: dict[str, Any]) -> None:
        await self.stack.aclose()


app = falcon.asgi.App(middleware=[Lifespan()])
for resource in (Hello(), Echo(), Stream(), Endless(), Cookies(), Error(), State()):
    app.add_route(f"/{type(resource).__name__.lower()}", resource)
app.add_route("/show/{rest:path}", Show())
app.add_route("/status/{status:int}", Status())
