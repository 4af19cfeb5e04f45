"""The routes as a Starlette app; `fastapi_app` mounts nothing of it and says everything again in its own way."""

from __future__ import annotations

import asyncio
import os

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from . import _asgi_parts as streams
from . import _parts as parts

BINARY = "application/octet-stream"


def door_of(request: Request) -> parts.Door:
    return parts.door_of(dict(request.query_params))


def number(request: Request, name: str, default: float = 0) -> float:
    return float(request.query_params.get(name, default))


async def hello(request: Request) -> Response:
    return Response("hello", media_type="text/plain")


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type=BINARY)


async def upload(request: Request) -> Response:
    return JSONResponse(await streams.upload(request.stream(), door_of(request)))


async def stream(request: Request) -> Response:
    return StreamingResponse(streams.gated(door_of(request), int(number(request, "pieces", 3))))


async def endless(request: Request) -> Response:
    return StreamingResponse(streams.endless(door_of(request), number(request, "pause")))


async def download(request: Request) -> Response:
    size = int(number(request, "size"))
    length = {} if "chunked" in request.query_params else {"content-length": str(size)}
    return StreamingResponse(streams.download(size), headers=length, media_type=BINARY)


async def file(request: Request) -> Response:
    return FileResponse(parts.file(int(number(request, "size"))), media_type=BINARY)


async def cookies(request: Request) -> Response:
    reply = JSONResponse(request.cookies)
    reply.set_cookie("first", "1")
    reply.set_cookie("second", "two words")
    return reply


async def show(request: Request) -> Response:
    return JSONResponse(streams.show(dict(request.scope)) | {"rest": request.path_params["rest"]})


async def headers(request: Request) -> Response:
    return JSONResponse(streams.headers(dict(request.scope)))


async def status(request: Request) -> Response:
    code = request.path_params["status"]
    return Response(status_code=code, headers={"etag": '"v1"'} if code == 304 else None)


async def go(request: Request) -> Response:
    return RedirectResponse("/hello", 302)


async def error(request: Request) -> Response:
    raise RuntimeError(f"boom before the head {request.query_params['tag']}")


async def error_late(request: Request) -> Response:
    length = request.query_params.get("length")
    body = streams.late_error(request.query_params["tag"])
    return StreamingResponse(body, headers={"content-length": length} if length else None)


async def short(request: Request) -> Response:
    return Response("12345", headers={"content-length": "10"})


async def bad_header(request: Request) -> Response:
    return Response("split", headers={"x-note": "fine\r\nX-Smuggled: yes"})


async def early(request: Request) -> Response:
    return Response(status_code=401)


async def sleep(request: Request) -> Response:
    await asyncio.sleep(number(request, "seconds"))
    return Response("slept")


async def where(request: Request) -> Response:
    return JSONResponse(parts.where() | {"master": os.getppid()})


async def state(request: Request) -> Response:
    return JSONResponse(parts.state_report(request.scope["state"]) | {"same_loop": parts.same_loop()})


async def background(request: Request) -> Response:
    return Response("accepted", background=BackgroundTask(streams.afterwards, door_of(request)))


READ = (hello, stream, endless, download, file, cookies, headers, go, error, error_late, short, bad_header, sleep)
WRITE = (echo, upload, early, background)


def slug(view: object) -> str:
    return "/" + view.__name__.replace("_", "-")  # type: ignore[attr-defined]


app = Starlette(
    routes=[
        *(Route(slug(view), view) for view in (*READ, where, state)),
        *(Route(slug(view), view, methods=["POST"]) for view in WRITE),
        Route("/show/{rest:path}", show),
        Route("/status/{status:int}", status),
    ],
    lifespan=parts.lifespan,
)
