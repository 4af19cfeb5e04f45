"""The routes of every cell as a Bottle app; see `cells/_checks.py` for what is asked of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bottle import Bottle, request, response

from . import _parts as parts
from . import _wsgi_parts as streams

app = Bottle()


@app.get("/hello")
def hello() -> str:
    response.content_type = "text/plain"
    return "hello"


@app.post("/echo")
def echo() -> bytes:
    response.content_type = "application/octet-stream"
    return request.body.read()


@app.get("/stream")
def stream() -> Iterable[bytes]:
    return streams.Gated(parts.door_of(request.query), int(request.query["pieces"]))


@app.get("/endless")
def endless() -> Iterable[bytes]:
    return streams.endless(parts.door_of(request.query), float(request.query["pause"]))


@app.get("/cookies")
def cookies() -> dict[str, str]:
    response.set_cookie("first", "1")
    response.set_cookie("second", "two words")
    return dict(request.cookies)


@app.get("/show/<rest:path>")
def show(rest: str) -> dict[str, Any]:
    return {"rest": rest}


@app.get("/status/<status:int>")
def status(status: int) -> None:
    response.status = status


@app.get("/error")
def error() -> None:
    raise RuntimeError(f"boom before the head {request.query['tag']}")


@app.get("/state")
def state() -> dict[str, Any]:
    return parts.state_report(request.environ.get("anysgi.state", {}))
