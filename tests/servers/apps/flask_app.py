"""The routes as a Flask app, written as Flask's documentation teaches it and unaware of any adapter."""

from __future__ import annotations

import os
import time
from typing import Any

from flask import Flask, Response, abort, redirect, request, send_file

from . import _parts as parts
from . import _wsgi_parts as streams

app = Flask("shop")
app.config["TRAP_HTTP_EXCEPTIONS"] = False


def query() -> dict[str, str]:
    return request.args.to_dict()


def number(name: str, default: float = 0) -> float:
    return float(request.args.get(name, default))


@app.get("/hello")
def hello() -> Response:
    return Response("hello", mimetype="text/plain")


@app.post("/echo")
def echo() -> Response:
    return Response(request.get_data(), mimetype="application/octet-stream")


@app.post("/upload")
def upload() -> dict[str, Any]:
    return streams.upload(request.stream.read, parts.door_of(query()))


@app.get("/stream")
def stream() -> Response:
    return Response(streams.Gated(parts.door_of(query()), int(number("pieces", 3))))


@app.get("/endless")
def endless() -> Response:
    return Response(streams.endless(parts.door_of(query()), number("pause")))


@app.get("/watch")
def watch() -> Response:
    left = request.environ.get("anysgi.client_disconnected", lambda: False)
    return Response(streams.watching(parts.door_of(query()), left))


@app.get("/download")
def download() -> Response:
    size = int(number("size"))
    reply = Response(streams.download(size), mimetype="application/octet-stream")
    if "chunked" not in request.args:
        reply.content_length = size
    return reply


@app.get("/file")
def file() -> Response:
    return send_file(parts.file(int(number("size"))), mimetype="application/octet-stream")


@app.get("/cookies")
def cookies() -> Response:
    reply = app.json.response(request.cookies.to_dict())
    reply.set_cookie("first", "1")
    reply.set_cookie("second", "two words")
    return reply


@app.get("/show/<path:rest>")
def show(rest: str) -> dict[str, Any]:
    return streams.show(request.environ) | {"rest": rest}


@app.get("/headers")
def headers() -> dict[str, str]:
    return streams.headers(request.environ)


@app.get("/status/<int:status>")
def status(status: int) -> Response:
    reply = Response(status=status)
    if status == 304:
        reply.headers["ETag"] = '"v1"'
    return reply


@app.get("/go")
def go() -> Any:
    return redirect("/hello")


@app.get("/error")
def error() -> Response:
    raise RuntimeError(f"boom before the head {request.args['tag']}")


@app.get("/error-late")
def error_late() -> Response:
    reply = Response(streams.late_error(request.args["tag"]))
    if "length" in request.args:
        reply.content_length = int(number("length"))
    return reply


@app.get("/short")
def short() -> Response:
    return Response(iter([b"12345"]), headers={"Content-Length": "10"})


@app.get("/bad-header")
def bad_header() -> Response:
    return Response("split", headers={"X-Note": "fine\r\nX-Smuggled: yes"})


@app.post("/early")
def early() -> Response:
    abort(401)


@app.get("/sleep")
def sleep() -> Response:
    time.sleep(number("seconds"))
    return Response("slept")


@app.get("/where")
def where() -> dict[str, Any]:
    return parts.where() | {"master": os.getppid()}


@app.get("/state")
def state() -> dict[str, Any]:
    return parts.state_report(request.environ.get("anysgi.state", {})) | {"same_loop": True}
