"""A page that names its style sheet before it is made, in both conventions; it is made when the test says so."""

from __future__ import annotations

from contextlib import closing

from flask import Flask, request
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from anysgi import AsgiToWsgi, WsgiToAsgi

from ._parts import door_of

LINK = "</style.css>; rel=preload; as=style"

flask_app = Flask("shop")


@flask_app.get("/hello")
@flask_app.get("/styled")
def page() -> str:
    if "door" in request.args:
        request.environ["wsgi.early_hints"]([("Link", LINK)])
        with closing(door_of(request.args.to_dict())) as door:
            door.wait()
    return "the page"


async def styled(request: Request) -> PlainTextResponse:
    if "door" in request.query_params:
        await request.send_early_hints(LINK)
        with closing(door_of(dict(request.query_params))) as door:
            await door.pause()
    return PlainTextResponse("the page")


asgi_application = WsgiToAsgi(flask_app)
application = AsgiToWsgi(Starlette(routes=[Route("/hello", styled), Route("/styled", styled)]))
