"""Middleware as users write and install it, for `mypy --strict` alone: this file is checked, never run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, assert_type

from fastapi import FastAPI
from flask import Flask

from anysgi.middleware import Body, Dual, Fields, Flow, Headers, Outcome, Request, Response, Stack, middleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

tenant: ContextVar[str] = ContextVar("tenant")


@middleware
def plain(request: Request, *, header: str = "x-a") -> Flow:
    assert_type(request.method, str)
    assert_type(request.client, str | None)
    assert_type(request.length, int | None)
    assert_type(request.headers, Headers)
    assert_type(request.headers.get("a"), str | None)
    assert_type(request.headers.get("a", "b"), str)
    assert_type(request.body, Body)
    request.path = "/b"
    request.bind(tenant, "acme")
    request.bind(tenant, 1)  # type: ignore[misc]  # not what the variable holds
    request.deadline(head=1.5)
    response: Response = yield request
    response.status = 304
    response.headers.extend(Fields({"x-b": "c"}))
    assert_type(response.body.whole, bytes | None)
    outcome: Outcome = yield response
    assert_type(outcome.first_byte, float | None)


@middleware(peek=True, outside=["plain"])
def prepared(*, level: int) -> Callable[[Request], Flow]:
    def flow(request: Request) -> Flow:
        if level:
            return Response(403, "no\n", {"x-a": "b"})
        yield request

    return flow


@middleware
def guard(request: Request, *, path: str = "/") -> Response | None:
    return None if request.path == path else Response(403)


@middleware
def prepared_guard(*, level: int) -> Callable[[Request], None]:
    def change(request: Request) -> None:
        request.path = "/" * level

    return change


@middleware  # type: ignore[arg-type]
def no_answer(request: Request) -> str:
    return "neither a response nor nothing"


@middleware
def asking(request: Request, *, store: Dual) -> Flow:
    hits = yield store.hit("key")
    return Response(200, str(hits))


def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


# A layer's own options are seen; with an app, the answer has the app's type.

assert_type(plain(), Stack)
assert_type(plain(header="x"), Stack)
assert_type(prepared(level=1, skip="/health"), Stack)
assert_type(guard(path="/open"), Stack)
assert_type(prepared_guard(level=1), Stack)
guard(paht="/open")  # type: ignore[call-overload]
wrapped: Callable[[dict[str, Any], StartResponse], Iterable[bytes]] = plain(wsgi_app)
plain(haeder="x")  # type: ignore[call-overload]
prepared(level="x")  # type: ignore[call-overload]

stack = Stack(plain(), prepared(level=0), asking)
assert_type(Stack(stack, plain), Stack)
flask_app = Flask(__name__)
flask_app.wsgi_app = stack(flask_app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way
assert_type(stack(FastAPI()), FastAPI)
