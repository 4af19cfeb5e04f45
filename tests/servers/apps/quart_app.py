"""The routes of every cell as a Quart app; see `cells/_checks.py` for what is asked of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, Response, jsonify, request

from . import _asgi_parts as streams
from . import _parts as parts

app = Quart("shop")
app.config["RESPONSE_TIMEOUT"] = None  # a minute by default, for a whole stream


@app.while_serving
async def lifespan() -> AsyncIterator[None]:
    async with parts.lifespan() as state:
        app.config["STATE"] = state
        yield


@app.get("/hello")
async def hello() -> Response:
    return Response("hello", mimetype="text/plain")


@app.post("/echo")
async def echo() -> Response:
    return Response(await request.get_data(), mimetype="application/octet-stream")


@app.get("/stream")
async def stream() -> Response:
    return Response(streams.gated(parts.door_of(request.args), int(request.args["pieces"])))


@app.get("/endless")
async def endless() -> Response:
    return Response(streams.endless(parts.door_of(request.args), float(request.args["pause"])))


@app.get("/cookies")
async def cookies() -> Response:
    reply = jsonify(request.cookies.to_dict())
    reply.set_cookie("first", "1")
    reply.set_cookie("second", "two words")
    return reply


@app.get("/show/<path:rest>")
async def show(rest: str) -> dict[str, Any]:
    return {"rest": rest}


@app.get("/status/<int:status>")
async def status(status: int) -> Response:
    return Response(status=status)


@app.get("/error")
async def error() -> Response:
    raise RuntimeError(f"boom before the head {request.args['tag']}")


@app.get("/state")
async def state() -> dict[str, Any]:
    return parts.state_report(app.config["STATE"])
