"""What `shadow="compare"` costs the user, as shares of the latency: `python -m benchmarks.shadow`.

The same router, with `ShadowCompare()` and without; every request is one the shadow may look at.  The apps are a Flask
and a Starlette page of the size of a small listing.

One client asks without a pause, and client, server and shadow are one process.  Whatever the client waits for is then
CPU time of this process, and its clock is that: it shows the latency of each request, with what the shadow does
meanwhile, as on a machine that runs nothing else.

The two sides take short turns, so that both see the same machine.  The clock by which the shadow rests goes on in its
own turns only, and they do not end while it compares, or it would rest and work while nobody looks.  Turns add up to
blocks in which it works and rests about five times, and each block of the one side is held against that of the other;
then both are made anew, since one of two equal servers is always a little faster.
A figure is the median of these ratios, with the interval that holds it with 95 % (by ranks: nothing is assumed of how
they are spread, and a spike spoils one).  The limit is kept if the whole interval of the mean latency keeps it.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import sqrt
from statistics import mean, median, quantiles
from time import monotonic, process_time, sleep

import uvicorn
from flask import Flask, jsonify
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route as StarletteRoute

from anysgi.migration import Route, Router, RouteTable, ShadowCompare
from anysgi.migration._compare import _shadowing
from anysgi.testing import Scenario, arun, run
from benchmarks.measure import turns
from benchmarks.servers import free_port

Busy = Callable[[], bool]
Lap = Callable[[Busy], list[float]]  # one turn, which goes on while the shadow is busy: the seconds of each request

TURN = 0.02  # seconds of CPU
TURNS = 25  # of each side in a block
LIMIT = 1.05
FIGURES: dict[str, Callable[[list[float]], float]] = {
    "median": median,
    "mean": mean,
    "95 %": lambda took: quantiles(took, n=20)[-1],
}

ITEMS = [{"id": number, "name": f"item {number}", "price": number * 1.5} for number in range(200)]
TABLE = RouteTable((Route("/items", "legacy", shadow="compare"),))
SCENARIO = Scenario("GET", "/items", {"accept": "*/*"})

flask_app = Flask(__name__)
flask_app.add_url_rule("/items", "items", lambda: jsonify(ITEMS))
starlette_app = Starlette(routes=[StarletteRoute("/items", lambda _request: JSONResponse(ITEMS))])


def under_wsgi(router: Router) -> Iterator[Lap]:
    yield lambda busy: _timed(lambda: run(router.wsgi, SCENARIO, convention="wsgi", inline=True), busy)


def under_asgi(router: Router) -> Iterator[Lap]:
    async def lap(busy: Busy) -> list[float]:
        took, end = [], process_time() + TURN
        while (began := process_time()) < end or busy():
            await arun(router.asgi, SCENARIO, convention="asgi")
            took.append(process_time() - began)
        return took

    with asyncio.Runner() as runner:
        yield lambda busy: runner.run(lap(busy))


def under_uvicorn(router: Router) -> Iterator[Lap]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(router.asgi, port=port, log_level="error", timeout_keep_alive=600))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        sleep(0.01)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask() -> None:
        connection.request("GET", "/items")
        assert len(connection.getresponse().read()) > 1000

    def lap(busy: Busy) -> list[float]:
        return _timed(ask, busy)

    try:
        yield lap
    finally:
        connection.close()
        server.should_exit = True
        thread.join(10)


def _timed(ask: Callable[[], object], busy: Busy) -> list[float]:
    took, end = [], process_time() + TURN
    while (began := process_time()) < end or busy():
        ask()
        took.append(process_time() - began)
    return took


CASES: dict[str, Callable[[Router], Iterator[Lap]]] = {
    "WSGI, in process": under_wsgi,
    "ASGI, in process": under_asgi,
    "ASGI, on uvicorn": under_uvicorn,
}


class Clock:
    """Process time that passes only while it runs."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._since: float | None = None

    def __call__(self) -> float:
        return self._passed + (0.0 if self._since is None else process_time() - self._since)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._since = process_time()
        yield
        self._passed, self._since = self(), None


def measure(serve: Callable[[Router], Iterator[Lap]], seconds: float) -> list[list[float]]:
    """The ratios of all pairs of blocks, figure by figure."""
    ratios: list[list[float]] = [[] for _ in FIGURES]
    end = monotonic() + seconds
    while monotonic() < end:
        plain, shadowed = _blocks(serve)
        for column, figure in zip(ratios, FIGURES.values(), strict=True):
            column.append(figure(shadowed) / figure(plain))
    return ratios


def _blocks(serve: Callable[[Router], Iterator[Lap]]) -> tuple[list[float], list[float]]:
    """The seconds of each request of one side and of the other, which are made anew: one may be the luckier one."""
    shadow, clock = ShadowCompare(), Clock()
    _shadowing.monotonic = clock  # type: ignore[assignment]  # it rests by it
    with _served(serve, None) as plain, _served(serve, shadow) as shadowed:

        def plain_turn() -> list[float]:
            return plain(lambda: False)

        def shadow_turn() -> list[float]:
            with clock.running():
                return shadowed(lambda: shadow._rests_until <= clock())

        sides = {"plain": plain_turn, "shadow": shadow_turn}
        for turn in sides.values():
            turn()  # it warms up
        took: dict[str, list[float]] = {name: [] for name in sides}
        for name in turns([*sides], TURNS):
            took[name] += sides[name]()
        return took["plain"], took["shadow"]


@contextmanager
def _served(serve: Callable[[Router], Iterator[Lap]], shadow: ShadowCompare | None) -> Iterator[Lap]:
    router = Router(flask_app, starlette_app, table=TABLE, switches=(), shadow=shadow)
    with contextmanager(serve)(router) as lap:
        yield lap
    router.close()


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The median, and the ranks between which it lies with 95 % (the sign test, turned around)."""
    ordered, count = sorted(values), len(values)
    at = max(0, round((count - 1.96 * sqrt(count)) / 2) - 1)
    return median(ordered), ordered[at], ordered[-1 - at]


def verdict(low: float, high: float) -> str:
    if high <= LIMIT:
        return "kept"
    return "broken" if low > LIMIT else "undecided"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each case")
    parser.add_argument("--case", default="", help="part of its name")
    options = parser.parse_args()
    print(f"{'with the shadow, without = 1':30}" + "".join(f"{name:23}" for name in FIGURES) + f"limit {LIMIT}")
    for title, serve in CASES.items():
        if options.case in title:
            columns = [interval(column) for column in measure(serve, options.seconds)]
            shown = "".join(f"{mid:.3f} ({low:.3f}-{high:.3f})   ".ljust(23) for mid, low, high in columns)
            print(f"{title:30}{shown}{verdict(*columns[1][1:])}", flush=True)


if __name__ == "__main__":
    main()
