"""Five layers around a hello app: ours in one Stack, the same five written by hand, and as `BaseHTTPMiddleware`.

All five work on heads: an allowed host, an id, the time, three fixed fields, a default.  Time is processor time of this
process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time
from typing import Any

from anysgi.middleware import Fields, Flow, Request, Response, Stack, middleware
from benchmarks.by_hand import FIXED, HOSTS, by_hand, by_starlette, by_the_guide
from benchmarks.measure import Result, calibrate, turns
from benchmarks.peers import OURS

HAND, GUIDE, BASE = "by hand", "by hand, as guides show", "BaseHTTPMiddleware"
BARE, READS, PAUSES = "the app alone", "one layer that only reads", "the same as a generator"
Wsgi = Callable[[Any, Any], Any]
FIELDS = Fields(FIXED)

# Ours


@middleware
def hosts(request: Request) -> Response | None:
    return None if request.headers.get("host") in HOSTS else Response(400)


@middleware
def paused_hosts(request: Request) -> Flow:
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
        "HTTP_ACCEPT_ENCODING": "gzip",
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
    by_hands = {HAND: by_hand(convention, app), GUIDE: by_the_guide(convention, app)}
    apps = {BARE: app, OURS: STACK(app), READS: hosts(app), PAUSES: paused_hosts(app), **by_hands}
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
