"""A Flask app for the tests of `anysgi serve`."""

import os

from flask import Flask, Response, request

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "flask"


@app.post("/echo")
def echo() -> Response:
    return Response(request.stream.read(), mimetype="application/octet-stream")


@app.get("/pid")
def pid() -> str:
    return str(os.getpid())


@app.get("/environ/<path:key>")
def environ(key: str) -> str:
    return str(request.environ.get(key))


def create_app(name: str = "made") -> Flask:
    made = Flask(name)
    made.add_url_rule("/", view_func=lambda: "made by the factory")
    return made
