"""WSGI apps with WebSockets, as their authors would write them; `ANYSGI_TEST_APP` says which is `application`.

All of them echo what they get on /ws, and obey two words: "close" and "boom".
"""

from __future__ import annotations

import os
import sys
from typing import Any

from flask import Flask, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server

from anysgi import WsgiToAsgi

from ._parts import where
from .websocket_page import PAGE


def serve(ws: Any) -> None:
    """The echo, in the words of simple-websocket."""
    try:
        while True:
            data = ws.receive()
            if data == "close":
                ws.close(4001, "bye")
            if data == "boom":
                raise LookupError("boom, as asked")
            ws.send(data)
    except ConnectionClosed as closed:
        sys.stderr.write(f"[app] closed with {closed.reason}\n")


def flask_sock() -> Flask:
    app = Flask("flask_sock")
    app.config["SOCK_SERVER_OPTIONS"] = {"subprotocols": ["chat"]}
    Sock(app).route("/ws")(serve)
    return app


def simple_websocket() -> Flask:
    """As in simple-websocket's documentation: a route that accepts, and returns an empty response."""
    app = Flask("simple_websocket")

    @app.route("/ws", websocket=True)
    def ws() -> str:
        serve(Server.accept(request.environ, subprotocols=["chat"], ping_interval=25))
        return ""

    return app


def hello() -> str:
    return "hello"


flask_app = globals()[os.environ.get("ANYSGI_TEST_APP", "flask_sock")]()
flask_app.get("/hello")(hello)
flask_app.add_url_rule("/page", "page", lambda: PAGE)
flask_app.add_url_rule("/where", "where", where)
application = WsgiToAsgi(flask_app, threads=250)
