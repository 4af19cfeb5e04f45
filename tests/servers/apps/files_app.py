"""A file, sent by FastAPI on a WSGI server and by Flask on an ASGI server; the file is ANYSGI_TEST_FILE.

Under gunicorn its own sendfile writes to the log what became of it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse
from flask import Flask, send_file

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.middleware import Flow, Outcome, Request, Response, Stack, access_log, middleware, request_id

FILE = os.environ["ANYSGI_TEST_FILE"]


def watch_gunicorn() -> None:
    from gunicorn.http.wsgi import Response

    sendfile = Response.sendfile

    def watched(self: Any, respiter: Any) -> Any:
        done = sendfile(self, respiter)
        sys.stderr.write(f"sendfile {respiter.filelike.name}: {done}\n")
        return done

    Response.sendfile = watched  # type: ignore[method-assign]


if "gunicorn" in sys.modules:
    watch_gunicorn()

api = FastAPI()


@api.get("/hello")
async def hello() -> str:
    return "hello"


@api.get("/file")
async def file() -> FileResponse:
    return FileResponse(FILE)


shop = Flask(__name__)


@shop.get("/hello")
def shop_hello() -> str:
    return "hello"


@shop.get("/file")
def shop_file() -> Any:
    return send_file(FILE)


application = AsgiToWsgi(api)


class _Watched:
    """The adapter, with an eye on the messages that leave it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def watched(message: Any) -> None:
            if message["type"] == "http.response.pathsend":
                sys.stderr.write(f"pathsend {message['path']}\n")
            await send(message)

        await self.app(scope, receive, watched if scope["type"] == "http" else send)


asgi_application = _Watched(WsgiToAsgi(shop))


@middleware
def tell_outcome(request: Request) -> Flow:
    response: Response = yield request
    outcome: Outcome = yield response
    sys.stderr.write(f"outcome: {outcome.kind} {outcome.bytes_sent}\n")


watched_shop = Stack(request_id(), access_log(), tell_outcome())(shop)
