"""Five layers around a hello app: ours in one Stack, the same five written by hand, and as `BaseHTTPMiddleware`.

All five work on heads: an allowed host, an id, the time, three fixed fields, a default.  The hand-written ones are as
short as they can be: no header is checked, native lists are changed in place.  Time is processor time of this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time
from typing import Any

from starlette.middleware.base import BaseHTTPMiddleware

from anysgi.middleware import Fields, Flow, Request, Response, Stack, middleware
from benchmarks.measure import Result, calibrate, turns
from benchmarks.peers import OURS

HAND, BASE, BARE, READS = "by hand", "BaseHTTPMiddleware", "the app alone", "one layer that only reads"
HOSTS = frozenset(["testserver"])
FIXED = [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "same-origin")]
FIXED_BYTES = [(name.encode(), value.encode()) for name, value in FIXED]
FIELDS = Fields(FIXED)

# Ours


@middleware
def hosts(request: Request) -> Flow:
    if request.headers.get("host") in HOSTS:
        return None
    yield Response(400)


@middleware
def identified(request: Request) -> Flow:
    given = request.headers.get("x-request-id", "made")
    response: Response = yield request
    response.headers.add("x-request-id", given)


@middleware
def timed(request: Request) -> Flow:
    started = perf_counter()
    response: Response = yield request
    response.headers.add("server-timing", f"total;dur={(perf_counter() - started) * 1e3:.1f}")


@middleware
def fixed(request: Request) -> Flow:
    response: Response = yield request
    response.headers.extend(FIELDS)


@middleware
def default(request: Request) -> Flow:
    response: Response = yield request
    response.headers.setdefault("cache-control", "no-store")


STACK = Stack(hosts(), identified(), timed(), fixed(), default())

# By hand, ASGI


class Hand:
    def __init__(self, app: Any) -> None:
        self.app = app


class Hosts(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"host" and value.decode("latin-1") in HOSTS:
                await self.app(scope, receive, send)
                return
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body"})


class Identified(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"made")

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", given))
            await send(message)

        await self.app(scope, receive, add)


class Timed(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start":
                text = f"total;dur={(perf_counter() - started) * 1e3:.1f}"
                message["headers"].append((b"server-timing", text.encode("latin-1")))
            await send(message)

        await self.app(scope, receive, add)


class Fixed(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].extend(FIXED_BYTES)
            await send(message)

        await self.app(scope, receive, add)


class Default(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start" and not any(
                name == b"cache-control" for name, _ in message["headers"]
            ):
                message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        await self.app(scope, receive, add)


# By hand, WSGI

Wsgi = Callable[[Any, Any], Any]


def wsgi_hosts(app: Wsgi) -> Wsgi:
    def call(environ: Any, start_response: Any) -> Any:
        if environ.get("HTTP_HOST") not in HOSTS:
            start_response("400 Bad Request", [])
            return []
        return app(environ, start_response)

    return call


def wsgi_adding(make: Callable[[Any], Callable[[Any], object]]) -> Callable[[Wsgi], Wsgi]:
    """A closure that has `make(environ)` change the response's list."""

    def wrap(app: Wsgi) -> Wsgi:
        def call(environ: Any, start_response: Any) -> Any:
            change = make(environ)

            def start(status: str, headers: Any, exc_info: Any = None) -> Any:
                change(headers)
                return start_response(status, headers, exc_info)

            return app(environ, start)

        return call

    return wrap


def wsgi_identified(environ: Any) -> Callable[[Any], object]:
    given = environ.get("HTTP_X_REQUEST_ID", "made")
    return lambda headers: headers.append(("x-request-id", given))


def wsgi_timed(environ: Any) -> Callable[[Any], object]:
    started = perf_counter()
    return lambda headers: headers.append(("server-timing", f"total;dur={(perf_counter() - started) * 1e3:.1f}"))


def wsgi_fixed(environ: Any) -> Callable[[Any], object]:
    return lambda headers: headers.extend(FIXED)


def wsgi_default(environ: Any) -> Callable[[Any], object]:
    def change(headers: Any) -> None:
        if not any(name.lower() == "cache-control" for name, _ in headers):
            headers.append(("cache-control", "no-store"))

    return change


def by_hand(convention: str, app: Any) -> Any:
    if convention == "asgi":
        return Hosts(Identified(Timed(Fixed(Default(app)))))
    for make in (wsgi_default, wsgi_fixed, wsgi_timed, wsgi_identified):
        app = wsgi_adding(make)(app)
    return wsgi_hosts(app)


def by_starlette(app: Any) -> Any:
    """Five times nothing but a header: the cheapest five there can be."""

    async def dispatch(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-request-id"] = "made"
        return response

    for _ in range(5):
        app = BaseHTTPMiddleware(app, dispatch)
    return app


# The app, and who asks it


async def asgi_hello(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def wsgi_hello(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def scope() -> dict[str, Any]:
    names = [(b"host", b"testserver"), (b"user-agent", b"bench"), (b"accept", b"*/*"), (b"accept-encoding", b"gzip")]
    target = {"path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "headers": names}
    return {"type": "http", "method": "GET", "scheme": "http", "http_version": "1.1", "extensions": {}, **target}


def environ() -> dict[str, Any]:
    target = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "HTTP_HOST": "testserver",
    }
    return {"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_USER_AGENT": "bench", "wsgi.url_scheme": "http", **target}


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    pass


def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
    return print


def asgi_lap(app: Callable[..., Awaitable[None]]) -> Callable[[int], float]:
    async def many(count: int) -> float:
        started = process_time()
        for _ in range(count):
            await app(scope(), receive, send)
        return process_time() - started

    return lambda count: asyncio.run(many(count), debug=False)


def wsgi_lap(app: Wsgi) -> Callable[[int], float]:
    def many(count: int) -> float:
        started = process_time()
        for _ in range(count):
            for _chunk in app(environ(), start_response):
                pass
        return process_time() - started

    return many


def contenders(convention: str) -> dict[str, Callable[[int], float]]:
    lap, app = (asgi_lap, asgi_hello) if convention == "asgi" else (wsgi_lap, wsgi_hello)
    apps = {BARE: app, OURS: STACK(app), HAND: by_hand(convention, app), READS: hosts(app)}
    if convention == "asgi":
        apps[BASE] = by_starlette(app)
    return {name: lap(built) for name, built in apps.items()}


def run(convention: str, *, overhead: bool, rounds: int, say: Callable[[str], None]) -> Result:
    """Take turns; `overhead` subtracts what the app alone took in the same round."""
    title = f"Five layers on a hello app, {convention.upper()}" + (", beyond the app itself" if overhead else "")
    result = Result(name(convention, overhead=overhead), title, "µs")
    laps = contenders(convention)
    counts = {who: calibrate(lap, 0.05, 100, 20_000) for who, lap in laps.items()}
    for who in turns(list(laps), rounds):
        say(who)
        result.add(who, laps[who](counts[who]) / counts[who] * 1e6)
    if overhead:
        alone = result.samples.pop(BARE)
        for who, figures in result.samples.items():
            result.samples[who] = [figure - bare for figure, bare in zip(figures, alone, strict=True)]
    return result


def name(convention: str, *, overhead: bool) -> str:
    return f"middleware-{convention}" + ("-overhead" if overhead else "")


CASES = [(convention, overhead) for convention in ("asgi", "wsgi") for overhead in (False, True)]
