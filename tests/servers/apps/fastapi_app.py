"""The routes as a FastAPI app, written as FastAPI's documentation teaches it, with dependencies and typed queries."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse

from . import _asgi_parts as streams
from . import _parts as parts

app = FastAPI(lifespan=parts.lifespan)
BINARY = "application/octet-stream"


def door_of(door: int | None = None) -> parts.Door:
    return parts.Door(door)


Door = Annotated[parts.Door, Depends(door_of)]


@app.get("/hello")
@app.head("/hello", include_in_schema=False)
async def hello() -> Response:
    return Response("hello", media_type="text/plain")


@app.post("/echo")
async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type=BINARY)


@app.post("/upload")
async def upload(request: Request, door: Door) -> dict[str, Any]:
    return await streams.upload(request.stream(), door)


@app.get("/stream")
async def stream(door: Door, pieces: int = 3) -> StreamingResponse:
    return StreamingResponse(streams.gated(door, pieces))


@app.get("/endless")
async def endless(door: Door, pause: float = 0) -> StreamingResponse:
    return StreamingResponse(streams.endless(door, pause))


@app.get("/download")
@app.head("/download", include_in_schema=False)
async def download(size: int, chunked: bool = False) -> StreamingResponse:
    length = {} if chunked else {"content-length": str(size)}
    return StreamingResponse(streams.download(size), headers=length, media_type=BINARY)


@app.get("/file")
def file(size: int) -> FileResponse:  # not async: FastAPI runs it in a thread
    return FileResponse(parts.file(size), media_type=BINARY)


@app.get("/cookies")
async def cookies(request: Request, response: Response) -> dict[str, str]:
    response.set_cookie("first", "1")
    response.set_cookie("second", "two words")
    return request.cookies


@app.get("/show/{rest:path}")
async def show(request: Request, rest: str) -> dict[str, Any]:
    return streams.show(dict(request.scope)) | {"rest": rest}


@app.get("/headers")
async def headers(request: Request) -> dict[str, str]:
    return streams.headers(dict(request.scope))


@app.get("/status/{status}")
async def status(status: int) -> Response:
    return Response(status_code=status, headers={"etag": '"v1"'} if status == 304 else None)


@app.get("/go")
async def go() -> RedirectResponse:
    return RedirectResponse("/hello", 302)


@app.get("/error")
async def error(tag: str) -> Response:
    raise RuntimeError(f"boom before the head {tag}")


@app.get("/error-late")
async def error_late(tag: str, length: int | None = None) -> StreamingResponse:
    return StreamingResponse(streams.late_error(tag), headers={"content-length": str(length)} if length else None)


@app.get("/short")
async def short() -> Response:
    return Response("12345", headers={"content-length": "10"})


@app.get("/bad-header")
async def bad_header() -> Response:
    return Response("split", headers={"x-note": "fine\r\nX-Smuggled: yes"})


@app.post("/early", status_code=401)
async def early() -> None:
    return None


@app.get("/sleep")
async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@app.get("/where")
async def where() -> dict[str, Any]:
    return parts.where() | {"master": os.getppid()}


@app.get("/state")
async def state(request: Request) -> dict[str, Any]:
    return parts.state_report(request.scope["state"]) | {"same_loop": parts.same_loop()}


@app.post("/background")
async def background(tasks: BackgroundTasks, door: Door) -> str:
    tasks.add_task(streams.afterwards, door)
    return "accepted"
