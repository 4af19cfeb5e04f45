"""Eight frameworks, each with the same few routes: /, /up, /stream, /file, /boom, and /ws where it has WebSockets."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

ASGI, WSGI = ("quart", "litestar", "falcon_asgi"), ("pyramid", "falcon_wsgi")
"""Those that tests/servers has no app of."""

PATHS = ("/", "/stream", "/file", "/boom", "/missing", "/caf%C3%A9?q=%E9")


async def pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


def flask() -> Any:
    from flask import Flask, Response, request, send_file

    app = Flask("lint")
    app.logger.setLevel(logging.CRITICAL)
    app.get("/", endpoint="home")(lambda: "hello")
    app.post("/up", endpoint="up")(lambda: str(len(request.get_data())))
    app.get("/stream", endpoint="stream")(lambda: Response((b"x" for _ in range(3)), mimetype="text/plain"))
    app.get("/file", endpoint="file")(lambda: send_file(io.BytesIO(b"file"), mimetype="text/plain"))
    app.get("/boom", endpoint="boom")(lambda: str(1 / 0))
    return app


def urls() -> list[Any]:
    from django.http import FileResponse, HttpResponse, StreamingHttpResponse
    from django.urls import path

    def home(request: Any) -> Any:
        request.session["seen"] = 1
        response = HttpResponse("hello")
        response.set_cookie("b", "2")
        return response

    async def stream(request: Any) -> Any:
        return StreamingHttpResponse(pieces())

    return [
        path("", home),
        path("up", lambda request: HttpResponse(str(len(request.body)))),
        path("stream", lambda request: StreamingHttpResponse([b"a", b"b"])),
        path("astream", stream),
        path("file", lambda request: FileResponse(io.BytesIO(b"file"))),
        path("boom", lambda request: HttpResponse(str(1 / 0))),
    ]


class Urlconf:
    """What ROOT_URLCONF can point to without a module of its own."""

    def __init__(self) -> None:
        self.urlpatterns = urls()


def pyramid() -> Any:
    from pyramid.config import Configurator
    from pyramid.response import Response

    views = {
        "/": lambda request: Response("hello"),
        "/up": lambda request: Response(str(len(request.body))),
        "/stream": lambda request: Response(app_iter=iter([b"a", b"b"])),
        "/file": lambda request: Response(body=b"file", content_type="text/plain"),
    }
    with Configurator() as config:
        for route, view in views.items():
            config.add_route(route, route)
            config.add_view(view, route_name=route)
    return config.make_wsgi_app()


class Page:
    """A Falcon resource."""

    def on_get(self, request: Any, response: Any) -> None:
        response.text = "hello"

    def on_post(self, request: Any, response: Any) -> None:
        response.text = str(len(request.bounded_stream.read()))


class AsyncPage:
    """A Falcon resource for ASGI."""

    async def on_get(self, request: Any, response: Any) -> None:
        response.text = "hello"

    async def on_get_stream(self, request: Any, response: Any) -> None:
        response.stream = pieces()

    async def on_post(self, request: Any, response: Any) -> None:
        response.text = str(len(await request.stream.read()))

    async def on_websocket(self, request: Any, socket: Any) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())


def falcon_wsgi() -> Any:
    import falcon

    app = falcon.App()
    for route in ("/", "/up"):
        app.add_route(route, Page())
    return app


def falcon_asgi() -> Any:
    import falcon.asgi

    app = falcon.asgi.App()
    for route in ("/", "/up", "/ws"):
        app.add_route(route, AsyncPage())
    app.add_route("/stream", AsyncPage(), suffix="stream")
    return app


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    yield {"db": object()}


def fastapi() -> Any:
    from fastapi import BackgroundTasks, FastAPI, Request, WebSocket
    from fastapi.responses import StreamingResponse

    app = FastAPI(lifespan=lifespan)

    async def home(background: BackgroundTasks) -> dict[str, int]:
        background.add_task(lambda: None)
        return {"a": 1}

    async def up(request: Request) -> int:
        return len(await request.body())

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    async def passes(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    home.__annotations__ = {"background": BackgroundTasks}
    up.__annotations__, socket.__annotations__ = {"request": Request}, {"websocket": WebSocket}
    app.get("/")(home)
    app.post("/up")(up)
    app.get("/stream")(lambda: StreamingResponse(iter([b"a", b"b"])))
    app.get("/boom")(lambda: 1 / 0)
    app.websocket("/ws")(socket)
    app.middleware("http")(passes)
    return app


def starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
    from starlette.routing import Mount, Route

    async def up(request: Any) -> Any:
        return PlainTextResponse(str(len(await request.body())))

    routes = [
        Route("/", lambda request: PlainTextResponse("hello")),
        Route("/up", up, methods=["POST"]),
        Route("/stream", lambda request: StreamingResponse(pieces())),
        Route("/file", lambda request: FileResponse(__file__)),
        Route("/boom", lambda request: PlainTextResponse(str(1 / 0))),
        Mount("/mounted", routes=[Route("/", lambda request: PlainTextResponse("inside"))]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def quart() -> Any:
    from quart import Quart, request, websocket

    app = Quart("lint")
    app.logger.setLevel(logging.CRITICAL)

    async def home() -> str:
        return "hello"

    async def up() -> str:
        return str(len(await request.get_data()))

    async def stream() -> Any:
        return pieces()

    async def boom() -> str:
        return str(1 / 0)

    async def socket() -> None:
        await websocket.send(await websocket.receive())

    app.get("/")(home)
    app.post("/up")(up)
    app.get("/stream")(stream)
    app.get("/boom")(boom)
    app.websocket("/ws")(socket)
    return app


def litestar() -> Any:
    from litestar import Litestar, Request, get, post
    from litestar.response import Stream

    async def home() -> str:
        return "hello"

    async def up(request: Any) -> int:
        return len(await request.body())

    async def stream() -> Any:
        return Stream(pieces())

    home.__annotations__, stream.__annotations__ = {"return": str}, {"return": Stream}
    up.__annotations__ = {"request": Request, "return": int}
    return Litestar([get("/")(home), post("/up")(up), get("/stream")(stream)], logging_config=None)


def chunks() -> Iterator[bytes]:
    yield b"one"
    yield b"two"
