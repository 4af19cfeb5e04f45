"""What the router adds to a request in process, in microseconds: `python -m benchmarks.migration [--rounds N]`.

The app behind it answers at once, so that what is left is the router: choosing (a table of 200 routes), counting,
guarding the new side's answer.  Bare and routed take turns; the figure is the median of the differences.
It is CPU time of the one thread at work, so that a busy machine counts for little.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from statistics import median, quantiles
from time import thread_time
from typing import Any

from anysgi.migration import Route, Router, RouteTable, Sticky
from benchmarks.drivers import REQUEST_HEADERS
from benchmarks.measure import turns

REQUESTS = 2000  # a slice
BODY = b"Hello, world!\n"
FILLER = tuple(Route(f"/area{number}/<int:id>/items/<name>", "new") for number in range(196))
ROUTES = (
    Route("/legacy/<int:id>", "legacy"),
    Route("/new/<int:id>", "new"),
    Route("/share/<int:id>", "new", percent=50.0, sticky=Sticky("cookie", "session")),
)
TABLE = RouteTable((*ROUTES, *FILLER))
_fresh = iter(range(10**12))


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [BODY]


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": BODY})


def asgi_lap(app: Any, path: Callable[[int], str]) -> float:
    """Seconds a request takes."""

    async def run() -> float:
        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            pass

        scope = {"type": "http", "method": "GET", "root_path": "", "query_string": b"", "headers": REQUEST_HEADERS}
        scopes = [{**scope, "path": path(number), "client": ("127.0.0.1", 5)} for number in range(REQUESTS)]
        started = thread_time()
        for each in scopes:
            await app(each, receive, send)
        return (thread_time() - started) / REQUESTS

    return asyncio.run(run())


def wsgi_lap(app: Any, path: Callable[[int], str]) -> float:
    """Seconds a request takes."""
    headers = {f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in REQUEST_HEADERS}
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "QUERY_STRING": "", "wsgi.input": None, **headers}
    environs = [{**environ, "PATH_INFO": path(number), "REMOTE_ADDR": "127.0.0.1"} for number in range(REQUESTS)]

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        pass

    started = thread_time()
    for each in environs:
        for _ in app(each, start_response):
            pass
    return (thread_time() - started) / REQUESTS


CASES = [
    (f"{server}, {title}", lap, path)
    for server, lap in (("ASGI", asgi_lap), ("WSGI", wsgi_lap))
    for title, path in (
        ("to legacy, a path seen before", lambda number: f"/legacy/{number % 100}"),
        ("to new, a path seen before", lambda number: f"/new/{number % 100}"),
        ("to new, a path never seen", lambda number: f"/new/{next(_fresh)}"),
        ("50 % by cookie, a path seen before", lambda number: f"/share/{number % 100}"),
    )
]


def measure(lap: Callable[..., float], path: Callable[[int], str], rounds: int) -> list[float]:
    """The router's microseconds, round by round."""
    app = asgi_app if lap is asgi_lap else wsgi_app
    router = Router(app, app, table=TABLE)
    contenders = {"bare": app, "routed": router.asgi if lap is asgi_lap else router.wsgi}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for name in turns([*contenders], rounds):
        times[name].append(lap(contenders[name], path))
    return [(routed - bare) * 1e6 for bare, routed in zip(times["bare"], times["routed"], strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{'what the router adds to a request':50} median   quartiles")
    for title, lap, path in CASES:
        added = measure(lap, path, rounds)
        low, _, high = quantiles(added, n=4)
        print(f"{title:50} {median(added):5.1f} us  {low:.1f} - {high:.1f}")


if __name__ == "__main__":
    main()
