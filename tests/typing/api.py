"""The public API as users write it, for `mypy --strict` alone: this file is checked, never run.

Apps are typed by four parties: `wsgiref.types`, `asgiref.typing`, the frameworks, and people who write `Any`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, assert_type

import httpx2
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable
from asgiref.typing import Scope as AsgirefScope
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp as StarletteApp
from werkzeug.middleware.proxy_fix import ProxyFix

import anysgi
from anysgi import (
    AsgiToWsgi,
    PoolStats,
    WorkerPool,
    WsgiToAsgi,
    as_asgi_middleware,
    as_wsgi_middleware,
    exceptions,
    guess_convention,
    migration,
    testing,
    to_asgi,
    to_wsgi,
)
from anysgi.middleware import Flow, Request, Response, Stack, middleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from anysgi.types import ASGIApp, ChunkedPolicy, Environ, Message, Receive, Scope, Send, WSGIApp

# WSGI apps of every make


def by_the_book(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def generator(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"hello"


class Callable_:
    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        return []


declared: WSGIApplication = by_the_book
flask_app = Flask(__name__)

assert_type(WsgiToAsgi(by_the_book), WsgiToAsgi)
WsgiToAsgi(generator)
WsgiToAsgi(Callable_())
WsgiToAsgi(declared)
WsgiToAsgi(flask_app)
WsgiToAsgi(flask_app, max_message_size=1_000_000)
WsgiToAsgi(flask_app.wsgi_app)

# ASGI apps of every make


async def asgiref_app(scope: AsgirefScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None: ...


async def own_app(scope: Scope, receive: Receive, send: Send) -> None:
    message: Message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": message.get("headers", [])})


async def plain_app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None: ...


asgi3: ASGI3Application = asgiref_app


class Legacy:
    """ASGI 2."""

    def __init__(self, scope: AsgirefScope) -> None: ...

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None: ...


def legacy(scope: dict[str, Any]) -> Legacy:
    raise NotImplementedError


assert_type(AsgiToWsgi(asgiref_app), AsgiToWsgi)
AsgiToWsgi(own_app)
AsgiToWsgi(plain_app)
AsgiToWsgi(asgi3)
AsgiToWsgi(legacy)
AsgiToWsgi(Legacy)
AsgiToWsgi(Starlette())
AsgiToWsgi(asgi3, max_message_size=1_000_000, ping_interval=None)
AsgiToWsgi(asgi3, ping_interval="20")  # type: ignore[arg-type]  # seconds
AsgiToWsgi(FastAPI())

# What comes out is an app of the other kind, for anybody's annotations

as_starlette: StarletteApp = WsgiToAsgi(by_the_book)
as_asgi: ASGIApp = WsgiToAsgi(by_the_book)
as_wsgi: WSGIApp = AsgiToWsgi(own_app)
Starlette().mount("/old", WsgiToAsgi(flask_app))
WsgiToAsgi(AsgiToWsgi(own_app))
AsgiToWsgi(WsgiToAsgi(by_the_book))

# to_asgi, to_wsgi: any app in, the right kind out

assert_type(to_asgi(flask_app), "ASGIApp")
assert_type(to_wsgi(FastAPI()), "WSGIApp")
to_asgi(by_the_book, convention="wsgi", threads=4)
to_wsgi(own_app, convention="asgi", loop="uvloop")
assert_type(guess_convention(flask_app), Literal["wsgi", "asgi"])

# Options


@asynccontextmanager
async def lifespan(adapter: WsgiToAsgi) -> AsyncIterator[dict[str, Any]]:
    yield {"started": True}


@asynccontextmanager
async def silent_lifespan(adapter: object) -> AsyncIterator[None]:
    yield


spool: ChunkedPolicy = "spool"
pool = WorkerPool(20, queue_limit=100, idle_timeout=5.0, name="legacy")
WsgiToAsgi(
    flask_app,
    pool=pool,
    queue_timeout=2.5,
    window=65_536,
    prebuffer=4_096,
    max_body_size=10_000_000,
    timeout=30,
    grace=1.0,
    chunked=spool,
    underscore_headers="refuse",
    lifespan=lifespan,
    shutdown_timeout=10,
    multiprocess=False,
    propagate_context=True,
)
WsgiToAsgi(flask_app, threads=8, queue_limit=None, lifespan=silent_lifespan)
AsgiToWsgi(
    FastAPI(),
    lifespan="on",
    loop="asyncio",
    window=65_536,
    max_body_size=None,
    timeout=30.0,
    grace=1,
    startup_timeout=5,
    shutdown_timeout=5,
    raise_app_errors=True,
    propagate_context=True,
)

# Mistakes that a type checker finds: an unused ignore is an error, so each of these is one

WsgiToAsgi(flask_app, chunked="sometimes")  # type: ignore[arg-type]
WsgiToAsgi(flask_app, 8)  # type: ignore[call-arg]
AsgiToWsgi(FastAPI(), loop="curio")  # type: ignore[arg-type]
AsgiToWsgi(FastAPI(), mode="greenlet")  # type: ignore[arg-type]
AsgiToWsgi(by_the_book)  # type: ignore[arg-type]
WsgiToAsgi(own_app)  # type: ignore[arg-type]
WorkerPool("4")  # type: ignore[arg-type]
to_asgi(flask_app, convention="cgi")  # type: ignore[arg-type]
anysgi.nothing  # type: ignore[attr-defined]  # noqa: B018

# Life and death


def serve(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    with AsgiToWsgi(own_app) as adapter:
        assert_type(adapter, AsgiToWsgi)
        adapter.start()
        body = adapter(environ, start_response)
        assert_type(body, Iterable[bytes])
        return body


async def drive(scope: Scope, receive: Receive, send: Send) -> None:
    adapter = WsgiToAsgi(by_the_book, lifespan=lifespan)
    assert_type(await adapter(scope, receive, send), None)
    assert_type(adapter.pool, WorkerPool)
    adapter.drain()


def watch() -> float:
    with WorkerPool() as own:
        assert_type(own, WorkerPool)
        stats = own.stats()
        assert_type(stats, PoolStats)
        assert_type(stats.busy, int)
        assert_type(own.close(timeout=1), bool)
        return stats.queue_wait_max


# Exceptions are what their docstrings say they are


def catch() -> int:
    try:
        watch()
    except exceptions.BadRequest as error:
        assert_type(error.reason, str)
        return error.status
    except exceptions.AnysgiError as error:
        assert_type(error, exceptions.AnysgiError)
    return 0


trees: list[tuple[type[exceptions.AnysgiError], type[Exception]]] = [
    (exceptions.ConventionError, TypeError),
    (exceptions.AppProtocolError, AssertionError),
    (exceptions.AppTypeError, TypeError),
    (exceptions.AppValueError, ValueError),
    (exceptions.ServerProtocolError, RuntimeError),
    (exceptions.BadRequest, ValueError),
    (exceptions.ClientDisconnected, OSError),
    (exceptions.RequestTimeout, TimeoutError),
    (exceptions.LifespanError, RuntimeError),
    (exceptions.PoolClosed, RuntimeError),
]
as_type_error: TypeError = exceptions.ConventionError()
as_assertion: AssertionError = exceptions.AppTypeError()
as_os_error: OSError = exceptions.ClientDisconnected()

# The testing kit


async def runs_anything(flask: Flask, fast: FastAPI, asgiref: ASGI3Application) -> None:
    upload = testing.Scenario(
        "POST", "/a", {"X-Name": "value"}, [b"ab", b"c"], peer=[testing.Disconnect(after_bytes=2)]
    )
    testing.Scenario(target=b"/", headers=[(b"a", b"b")], body=b"abc", like="uvicorn")
    assert_type(testing.run(flask, upload), testing.Exchange)
    assert_type(await testing.arun(fast, upload, bound=1.0), testing.Exchange)
    exchange = testing.run(asgiref)
    assert_type(exchange.status, int | None)
    assert_type(exchange.headers, list[tuple[bytes, bytes]])
    assert_type(exchange.header("x"), bytes | None)
    assert_type(exchange.leaks, list[testing.Leak])
    assert_type(testing.presets(), dict[str, testing.Preset])


async def talks(flask: Flask, fast: FastAPI) -> None:
    async with testing.connect_websocket(fast, "/ws", ["v1"], headers={"x": "y"}, timeout=1.0) as websocket:
        assert_type(websocket, testing.WebSocketSession)
        assert_type(await websocket.receive_text(), str)
    async with httpx2.AsyncClient(transport=testing.ASGITransport(fast, backend="trio")) as client:
        assert_type(client, httpx2.AsyncClient)
    with testing.TestClient(flask, like="gunicorn") as sync, sync.websocket_connect("/ws") as socket:
        assert_type(sync, testing.TestClient)
        assert_type(socket, testing.TestWebSocket)
        assert_type(socket.receive_bytes(), bytes)
    httpx2.Client(transport=testing.WSGITransport(flask))
    testing.FlaskClient(fast, secret_key="dev").get("/")


def compares(app: Flask) -> None:
    program = testing.Program((testing.Read(), testing.Echo(), testing.Say(b"x")), 201, ((b"x-a", b"1"),), "whole")
    assert_type(program.wsgi, testing.WsgiProgram)
    assert_type(program.expected(testing.Scenario()), testing.Exchange)
    assert_type(testing.assert_same(program.wsgi, program.asgi, ignore=["reason"]), None)
    testing.assert_same(app, WsgiToAsgi(app), testing.Scenario())


# Middleware of the other convention


def borrows(flask: Flask, fast: FastAPI, werkzeug_style: type[ProxyFix], starlette_style: type[CORSMiddleware]) -> None:
    asgi: ASGIApp = as_asgi_middleware(werkzeug_style, x_for=1)(fast)
    wsgi: WSGIApp = as_wsgi_middleware(starlette_style)(flask, allow_origins=["*"])
    AsgiToWsgi(asgi, mode="inline"), AsgiToWsgi(asgi, loop="trio"), WsgiToAsgi(wsgi)


# Migration


class Comparison:
    def begin(self, request: migration.ShadowRequest) -> None:
        assert_type(request.route, migration.Route)

    def latest(self) -> list[migration.Difference]:
        return [migration.Difference(0.0, "item", "GET /items/7", "status")]


class HalfOn:
    def read(self, table: migration.RouteTable) -> migration.Overrides:
        return migration.Overrides(percents={route.name: 50 for route in table.routes})


def moves(flask: Flask, fast: FastAPI) -> None:
    route = migration.Route("/items/{id:int}", "new", methods=("GET",), percent=5, sticky=migration.Sticky("client"))
    table = migration.RouteTable((route,), default="legacy")
    assert_type(table.find("GET", "/items/7"), migration.Route | None)
    assert_type(migration.RouteTable.load("routes.toml").explain("GET", "/"), str)
    router = migration.Router(
        flask, WsgiToAsgi(flask), table=table, switches=[HalfOn(), migration.EnvironmentSwitches()]
    )
    migration.Router(
        flask, fast, table="routes.toml", shadow=Comparison(), dashboard="/_m", dashboard_token="…", head_timeout=5
    )
    wsgi: WSGIApp = router.wsgi
    asgi: ASGIApp = router.asgi
    to_asgi(wsgi), to_wsgi(asgi)
    router.set_percent("item", None)
    assert_type(router.stats.tally("item", "new").quantile(0.95), float | None)


def bridges(flask: Flask, fast: FastAPI) -> None:
    app: ASGIApp = migration.FlaskContext(migration.FlaskSession(fast, flask), flask, only=["/a"], before_request=True)
    migration.DjangoSession(app)
    assert_type(migration.usage_report(), list[migration.Usage])


def records(flask: Flask, fast: FastAPI) -> None:
    stack = migration.record("traffic.jsonl", sample=0.1, redact_keys=["pin"])
    assert_type(stack, Stack)
    stack(flask), stack(fast)
    for one in migration.read_recording(Path("traffic.jsonl")):
        assert_type(one.request.target, str)
    shadow = migration.ShadowCompare(sample=0.5, budget=0.02, ignore=["$.at"])
    assert_type(shadow.latest(), Sequence[migration.Difference])
    assert_type(shadow.passed, int)
    migration.Router(flask, fast, table=migration.RouteTable(), shadow=shadow)


def conforms(app: FastAPI) -> None:
    assert_type(testing.check_wsgi_to_asgi(WsgiToAsgi), testing.Report)
    assert_type(testing.check_asgi_to_wsgi(AsgiToWsgi).failures, list[testing.CheckResult])
    testing.check_middleware(lambda inner: inner, conventions=["asgi"], ignore=["header:date"])
    serve = testing.served_by("uvicorn", "{app}", "--port", "{port}", bound=10.0)
    assert_type(testing.check_asgi_server(serve), testing.Report)
    assert_type(testing.check_wsgi_server(serve), testing.Report)
    with serve(app) as served:
        assert_type(served, testing.ServedApp)
    testing.ASGITransport(app, lifespan="off", like="uvicorn")
    testing.WSGITransport(by_the_book, root_path="/shop")


def lints(flask: Flask, fast: FastAPI) -> None:
    watched: WSGIApp = testing.LintWSGI(flask, on="warn", select=("must", "W03"), ignore=["W031"])
    checked: ASGIApp = testing.LintASGI(fast, on=lambda finding: finding.rule.write)
    to_asgi(watched), to_wsgi(checked)
    finding = testing.LintASGI(fast).findings[0]
    assert_type(finding, testing.Finding)
    assert_type(finding.rule, testing.Rule)
    assert_type(finding.rule.id, str)


def recordings(path: Path, out: TextIO) -> None:
    assert_type(migration.write_har(migration.read_recording(path), out), None)


@middleware
def checksum(request: Request, *, name: str = "x-sum") -> Flow:
    request.body.collect()
    response: Response = yield request
    assert_type(request.takes_trailers, bool)
    seen: list[bytes] = []
    response.body.observe(seen.append)
    response.body.trailer(name, lambda: str(sum(map(len, seen))))


def layers() -> None:
    assert_type(checksum(name="x-length"), Stack)
