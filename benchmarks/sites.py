"""The web applications of the server cases, unchanged ones and adapted ones, each a factory a server can be given.

Factories, because importing this module must work where one of the frameworks or adapters is missing.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from typing import Any

from benchmarks import peers
from benchmarks.payload import HELLO

NAP = 0.15  # seconds a slow view waits for its "database"
MANY = 500  # threads, where hundreds of requests wait at the same time


def flask_site() -> Any:
    """Unchanged Flask: `/` answers at once, `/slow` after 150 ms of blocking I/O."""
    from flask import Flask, Response

    app = Flask("benchmark")

    @app.get("/")
    def hello() -> Response:
        return Response(HELLO, mimetype="text/plain")

    @app.get("/slow")
    def slow() -> Response:
        time.sleep(NAP)
        return Response(HELLO, mimetype="text/plain")

    return app


def starlette_site() -> Any:
    """The same natively: what the server could do without any adapter or thread."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def hello(request: Any) -> Any:
        return PlainTextResponse(HELLO)

    async def slow(request: Any) -> Any:
        await asyncio.sleep(NAP)
        return PlainTextResponse(HELLO)

    return Starlette(routes=[Route("/", hello), Route("/slow", slow)])


def fastapi_site() -> Any:
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    app = FastAPI()

    @app.get("/", response_class=PlainTextResponse)
    async def hello() -> str:
        return HELLO.decode()

    return app


def flask_ours() -> Any:
    return peers.WSGI_TO_ASGI[peers.OURS](flask_site())


def flask_a2wsgi() -> Any:
    return peers.WSGI_TO_ASGI["a2wsgi"](flask_site())


def flask_asgiref() -> Any:
    return peers.WSGI_TO_ASGI["asgiref"](flask_site())


def flask_on_the_loop() -> Any:
    """Flask called by the event loop itself: one view at a time, no body, no stream, the barest environ.

    Not an adapter, but what remains for one to cost nothing: the sum of the server's share and of Flask's.
    """
    app = flask_site()

    async def site(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        heads: list[tuple[str, Any]] = []
        chunks = app(_bare_environ(scope), lambda status, headers, exc_info=None: heads.append((status, headers)))
        body = b"".join(chunks)
        chunks.close()
        status, headers = heads[-1]
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": int(status[:3]), "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    return site


def _bare_environ(scope: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"],
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }


def flask_ours_many() -> Any:
    from anysgi import WsgiToAsgi

    return WsgiToAsgi(flask_site(), threads=MANY)


def flask_a2wsgi_many() -> Any:
    from a2wsgi import WSGIMiddleware

    return WSGIMiddleware(flask_site(), workers=MANY)


def fastapi_ours() -> Any:
    return peers.ASGI_TO_WSGI[peers.OURS](fastapi_site())


def fastapi_a2wsgi() -> Any:
    return peers.ASGI_TO_WSGI["a2wsgi"](fastapi_site())


def starlette_echo() -> Any:
    """`/` says hello to HTTP, and echoes on a WebSocket."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route, WebSocketRoute

    async def hello(request: Any) -> Any:
        return PlainTextResponse(HELLO)

    async def echo(websocket: Any) -> None:
        await websocket.accept()
        async for message in websocket.iter_bytes():
            await websocket.send_bytes(message)

    return Starlette(routes=[Route("/", hello), WebSocketRoute("/", echo)])


def starlette_echo_ours() -> Any:
    return peers.ASGI_TO_WSGI[peers.OURS](starlette_echo())


def sock_echo() -> Any:
    """The same with Flask and Flask-Sock."""
    from flask_sock import Sock

    app = flask_site()

    def echo(ws: Any) -> None:
        while True:
            ws.send(ws.receive())

    Sock(app).route("/")(echo)
    return app


def sock_echo_ours() -> Any:
    return peers.WSGI_TO_ASGI[peers.OURS](sock_echo())
