"""A router for real servers to import: Flask is legacy, FastAPI is new; the table's path is in ANYSGI_TEST_TABLE."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from flask import Flask, request

from anysgi.migration import Router

flask_app = Flask(__name__)
fastapi_app = FastAPI()


@flask_app.get("/hello")
@flask_app.get("/missing")
def hello() -> str:
    return "legacy"


@flask_app.post("/echo")
def echo() -> bytes:
    return b"legacy " + request.get_data()


@flask_app.get("/stream")
def stream() -> Any:
    return (b"legacy " for _ in range(20)), {"content-type": "text/plain"}


@fastapi_app.get("/hello")
async def new_hello() -> Any:
    return StreamingResponse(iter([b"new"]))


@fastapi_app.post("/echo")
async def new_echo(request: Request) -> Any:
    body = await request.body()
    return StreamingResponse(iter([b"new ", body]))


@fastapi_app.get("/stream")
async def new_stream() -> Any:
    return StreamingResponse(b"new " for _ in range(20))


router = Router(
    flask_app,
    fastapi_app,
    table=Path(os.environ["ANYSGI_TEST_TABLE"]),
    switches=(),
    refresh=0.01,
    dashboard="/_migration",
    dashboard_token=os.environ.get("ANYSGI_TEST_TOKEN", "nobody asks for this one"),
)
asgi_app = router.asgi
application = router.wsgi
