"""The routes of every cell as a Falcon app; see `cells/_checks.py` for what is asked of them."""

from __future__ import annotations

import falcon
from falcon import Request, Response

from . import _parts as parts
from . import _wsgi_parts as streams


class Hello:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "hello"

    on_head = on_get


class Echo:
    def on_post(self, req: Request, resp: Response) -> None:
        resp.content_type = "application/octet-stream"
        resp.data = req.bounded_stream.read()


class Stream:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.stream = streams.Gated(parts.door_of(req.params), req.get_param_as_int("pieces", required=True))


class Endless:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.stream = streams.endless(parts.door_of(req.params), req.get_param_as_float("pause", required=True))


class Cookies:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.set_cookie("first", "1", secure=False)
        resp.set_cookie("second", "two words", secure=False)
        resp.media = req.cookies


class Show:
    def on_get(self, req: Request, resp: Response, rest: str) -> None:
        resp.media = {"rest": rest}


class Status:
    def on_get(self, req: Request, resp: Response, status: int) -> None:
        resp.status = status


class Error:
    def on_get(self, req: Request, resp: Response) -> None:
        raise RuntimeError(f"boom before the head {req.get_param('tag')}")


class State:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.media = parts.state_report(req.env.get("anysgi.state", {}))


app = falcon.App()
for resource in (Hello(), Echo(), Stream(), Endless(), Cookies(), Error(), State()):
    app.add_route(f"/{type(resource).__name__.lower()}", resource)
app.add_route("/show/{rest:path}", Show())
app.add_route("/status/{status:int}", Status())
