"""Middleware of the other convention around an app: the real ones that people want, and what passes them by."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

import httpx2 as httpx
import pytest
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import JSONResponse
from flask import Flask, request
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.sessions import SessionMiddleware
from werkzeug.debug import DebuggedApplication
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from anysgi import as_asgi_middleware, as_wsgi_middleware
from anysgi.testing import Scenario, arun
from tests.conftest import BOUND, eventually

from ._calling import fetch
from ._driving import AsgiPeer, comes_true, happens, http_scope, serve, serving

if TYPE_CHECKING:
    from pathlib import Path


def api() -> FastAPI:
    app = FastAPI()

    @app.get("/client")
    async def client(request: Request) -> Any:
        return {"client": request.client.host, "scheme": request.url.scheme}  # type: ignore[union-attr]

    @app.get("/fails")
    async def fails() -> None:
        raise LookupError("a bug in the route")

    return app


FORWARDED = [(b"x-forwarded-for", b"9.8.7.6"), (b"x-forwarded-proto", b"https")]


@pytest.mark.anyio
async def test_werkzeugs_proxy_fix_around_fastapi() -> None:
    app = as_asgi_middleware(ProxyFix, x_for=1, x_proto=1)(api())
    peer = await serve(app, None, path="/client", headers=FORWARDED)
    assert peer.body == b'{"client":"9.8.7.6","scheme":"https"}'


@pytest.mark.anyio
async def test_add_middleware_takes_it_with_options_of_its_own() -> None:
    app = api()
    app.add_middleware(as_asgi_middleware(ProxyFix, x_for=0), x_for=1)  # type: ignore[arg-type]
    assert (await serve(app, None, path="/client", headers=FORWARDED)).body == b'{"client":"9.8.7.6","scheme":"https"}'
    assert "ProxyFix" in repr(app.user_middleware)


@pytest.mark.anyio
async def test_whitenoise_serves_files_beside_fastapi(tmp_path: Path) -> None:
    (tmp_path / "site.css").write_bytes(b"body {}")
    app = as_asgi_middleware(WhiteNoise, root=str(tmp_path), prefix="static")(api())
    peer = await serve(app, None, path="/static/site.css")
    assert (peer.status, peer.body) == (200, b"body {}")
    assert peer.header(
        b"content-type",
    ).startswith(b"text/css")  # type: ignore[union-attr]
    assert (await serve(app, None, path="/client")).status == 200
    assert (await serve(app, None, path="/static/none.css")).status == 404


@pytest.mark.anyio
async def test_werkzeugs_debugger_shows_the_bug_in_an_asgi_app() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("a bug in the route")

    peer = await serve(as_asgi_middleware(DebuggedApplication, evalex=False)(fails))
    assert peer.status == 500
    assert b"LookupError" in peer.body
    assert b"a bug in the route" in peer.body


@pytest.mark.anyio
async def test_what_fastapi_raises_after_its_own_error_page_reaches_the_server_and_the_page_the_client() -> None:
    app = api()

    @app.exception_handler(Exception)
    async def page(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"sorry": str(error)}, 500)

    found = await arun(as_asgi_middleware(ProxyFix)(app), Scenario(target="/fails"))
    assert isinstance(found.exception, LookupError)
    assert found.body == b'{"sorry":"a bug in the route"}'
    assert found.complete


@pytest.mark.anyio
async def test_background_tasks_are_part_of_the_request_as_ever() -> None:
    app, gate, done = api(), asyncio.Event(), asyncio.Event()

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> None:
        async def work() -> None:
            await gate.wait()
            done.set()

        tasks.add_task(work)

    peer = AsgiPeer()
    async with serving(as_asgi_middleware(ProxyFix)(app), peer, path="/later") as task:
        await comes_true(lambda: peer.complete)
        assert not task.done()
        gate.set()
        await happens(done)


@pytest.mark.anyio
async def test_a_background_task_is_cancelled_with_the_request() -> None:
    app, begun, cancelled = api(), asyncio.Event(), asyncio.Event()

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> None:
        async def work() -> None:
            try:
                begun.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        tasks.add_task(work)

    async with serving(as_asgi_middleware(ProxyFix)(app), path="/later") as task:
        await happens(begun)
        task.cancel()
        await happens(cancelled)


@pytest.mark.anyio
async def test_sessions_of_asgi_middleware_further_out_reach_the_app() -> None:
    app = api()

    @app.get("/count")
    async def count(request: Request) -> int:
        request.session["count"] = request.session.get("count", 0) + 1
        return int(request.session["count"])

    app.add_middleware(as_asgi_middleware(ProxyFix))  # type: ignore[arg-type]
    app.add_middleware(SessionMiddleware, secret_key="key")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        assert [(await client.get("/count")).text for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.anyio
async def test_websockets_and_lifespan_pass_around_wsgi_middleware() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], threading.current_thread()))

    borrowed = as_asgi_middleware(ProxyFix)(app)
    for kind in ("websocket", "lifespan"):
        await borrowed({**http_scope(), "type": kind}, None, None)
    assert seen == [("websocket", threading.current_thread()), ("lifespan", threading.current_thread())]
    assert "ProxyFix" in repr(borrowed)


# The other way


def shop() -> Flask:
    app = Flask(__name__)

    @app.get("/count")
    def count() -> str:
        session = request.environ["asgi.scope"]["session"]
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @app.get("/fails")
    def fails() -> str:
        raise LookupError("a bug in the view")

    return app


def test_starlettes_sessions_around_flask() -> None:
    app = shop()
    app.wsgi_app = as_wsgi_middleware(SessionMiddleware, secret_key="key")(app.wsgi_app)  # type: ignore[method-assign]
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://testserver") as client:
        assert [client.get("/count").text for _ in range(3)] == ["1", "2", "3"]


def test_starlettes_cors_around_flask() -> None:
    app = as_wsgi_middleware(CORSMiddleware)(shop(), allow_origins=["https://shop.example"])
    preflight = fetch(
        app, "OPTIONS", "/count", HTTP_ORIGIN="https://shop.example", HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET"
    )
    assert preflight.status == "200 OK"
    assert ("access-control-allow-origin", "https://shop.example") in preflight.headers
    plain = fetch(app, "GET", "/nothing", HTTP_ORIGIN="https://shop.example")
    assert plain.status == "404 Not Found"
    assert ("access-control-allow-origin", "https://shop.example") in plain.headers


def test_the_servers_own_keys_reach_the_app_and_those_of_the_request_are_the_middlewares() -> None:
    seen: dict[str, Any] = {}

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [b"x"]

    def hides_the_client(inner: Any) -> Any:
        async def middleware(scope: Any, receive: Any, send: Any) -> None:
            headers = [header for header in scope["headers"] if header[0] != b"x-secret"]
            await inner({**scope, "client": None, "headers": headers}, receive, send)

        return middleware

    peer = fetch(
        as_wsgi_middleware(hides_the_client)(app),
        REMOTE_USER="ada",
        REMOTE_ADDR="1.2.3.4",
        HTTP_X_SECRET="1",
        HTTP_X_OPEN="1",
        **{"gunicorn.socket": object(), "mod_auth.groups": "staff"},
    )
    assert peer.body == b"x"
    assert (seen["REMOTE_USER"], seen["mod_auth.groups"], seen["HTTP_X_OPEN"]) == ("ada", "staff", "1")
    assert seen["wsgi.errors"] is peer.environ["wsgi.errors"]
    assert not {"REMOTE_ADDR", "HTTP_X_SECRET", "gunicorn.socket"} & set(seen)


def test_what_the_app_raises_comes_through_asgi_middleware() -> None:
    def fails(environ: Any, start_response: Any) -> Any:
        raise LookupError("a bug in the view")

    with pytest.raises(LookupError, match="a bug in the view"):
        fetch(as_wsgi_middleware(CORSMiddleware)(fails))


def test_a_websocket_passes_around_asgi_middleware() -> None:
    here: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        here.append(threading.current_thread())
        start_response("501 Not Implemented", [])
        return []

    borrowed = as_wsgi_middleware(CORSMiddleware)(app)
    fetch(borrowed, HTTP_UPGRADE="websocket", HTTP_CONNECTION="Upgrade")
    fetch(borrowed)
    assert here[0] is threading.current_thread()
    assert here[1] is not here[0]
    assert "CORSMiddleware" in repr(borrowed)


def test_an_error_after_the_response_is_logged_where_no_adapter_is_further_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def late(inner: Any) -> Any:
        async def middleware(scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, send)
            raise LookupError("late")

        return middleware

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x"]

    with caplog.at_level(logging.ERROR, "anysgi"):
        peer = fetch(as_wsgi_middleware(late)(app))
        assert peer.body == b"x"
        assert eventually(lambda: "late" in peer.errors or "late" in caplog.text, BOUND)
