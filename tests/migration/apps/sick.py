"""Apps with one planted defect each; the doctor has to find it, and nothing else in the healthy ones."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from werkzeug.middleware.proxy_fix import ProxyFix

LOCAL = threading.local()
kept: list[Any] = []


def view() -> str:
    return ""


async def async_view(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("")


def flask_app(function: Any = view, **config: Any) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(config)
    app.add_url_rule("/", "view", function)
    return app


def starlette_app(function: Any = async_view, *middleware: Middleware) -> Starlette:
    return Starlette(routes=[Route("/", function)], middleware=list(middleware))


def behind_a_proxy() -> Any:
    app: Any = flask_app()
    app.wsgi_app = ProxyFix(app.wsgi_app)
    return app


def with_session(**options: Any) -> Starlette:
    return starlette_app(async_view, Middleware(SessionMiddleware, secret_key="secret", **options))


class Base(BaseHTTPMiddleware):
    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


def with_base_middleware() -> Starlette:
    return starlette_app(async_view, Middleware(Base))


def with_http_decorator() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.middleware("http")
    async def timing(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    return app


async def sleeps(_request: Any) -> PlainTextResponse:
    time.sleep(0)
    return PlainTextResponse("")


async def keeps_by_thread(_request: Any) -> PlainTextResponse:
    LOCAL.user = "a"
    return PlainTextResponse("")


def keeps_by_thread_in_a_pool() -> str:
    LOCAL.user = "a"
    return ""


def leaves_a_descriptor() -> str:
    kept.append(open(os.devnull))  # noqa: SIM115
    return ""


over = threading.Event()
"""Ends the threads of `leaves_a_thread`."""


def leaves_a_thread() -> str:
    threading.Thread(target=over.wait, args=(30,), daemon=True).start()
    return ""


async def leaves_a_task(_request: Any) -> PlainTextResponse:
    kept.append(asyncio.create_task(asyncio.sleep(30)))
    return PlainTextResponse("")


class Impatient:
    """Takes one chunk of a body, and never closes it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return FirstChunk(self.app(environ, start_response))


class FirstChunk:
    def __init__(self, body: Any) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        yield next(iter(self.body))


def fails() -> str:
    raise LookupError("no such thing")


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    yield {"ready": True}


async def asks_the_state(request: Any) -> PlainTextResponse:
    return PlainTextResponse(str(request.state.ready))


def with_lifespan() -> Starlette:
    return Starlette(routes=[Route("/", asks_the_state)], lifespan=lifespan)


# What importing this module leaves running, in the process of the test that asks for it.
if "ANYSGI_TEST_PRELOAD" in os.environ:
    threading.Thread(target=threading.Event().wait, args=(60,), name="poller", daemon=True).start()
    kept.append(socket.socket())

app = flask_app()
