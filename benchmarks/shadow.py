"""What `shadow="compare"` costs the user, as shares of the latency: `python -m benchmarks.shadow [--rounds N]`.

The same router, with `ShadowCompare()` and without, takes turns; every request is one the shadow may look at.  The apps
are a Flask and a Starlette page of the size of a small listing; of uvicorn, a client on loopback asks for it.  As one
client asks without a pause, the serving process' CPU time a request is the mean latency, without the noise of a busy
machine: that is the figure to hold.  The others are what the client's clock said.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import mean, median
from time import perf_counter, process_time, sleep
from typing import Any

import psutil
from flask import Flask, jsonify
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route as StarletteRoute

from anysgi.migration import Route, Router, RouteTable, ShadowCompare
from anysgi.testing import Scenario, arun, run
from benchmarks.measure import turns
from benchmarks.servers import free_port

Lap = Callable[[float], list[float]]

ITEMS = [{"id": number, "name": f"item {number}", "price": number * 1.5} for number in range(200)]
TABLE = RouteTable((Route("/items", "legacy", shadow="compare"),))

flask_app = Flask(__name__)
flask_app.add_url_rule("/items", "items", lambda: jsonify(ITEMS))
starlette_app = Starlette(routes=[StarletteRoute("/items", lambda _request: JSONResponse(ITEMS))])


def make_router(shadowed: bool) -> Router:
    return Router(flask_app, starlette_app, table=TABLE, switches=(), shadow=ShadowCompare() if shadowed else None)


router = make_router(os.environ.get("BENCH_SHADOW") == "1")  # uvicorn imports it
asgi_app = router.asgi


@contextmanager
def in_process(convention: str, shadowed: bool) -> Iterator[tuple[Lap, Callable[[], float]]]:
    mine, scenario = make_router(shadowed), Scenario("GET", "/items", {"accept": "*/*"})

    def wsgi(seconds: float) -> list[float]:
        return list(_timed(lambda: run(mine.wsgi, scenario, convention="wsgi", inline=True), seconds))

    async def on_a_loop(seconds: float) -> list[float]:
        took, end = [], perf_counter() + seconds
        while perf_counter() < end:
            began = perf_counter()
            await arun(mine.asgi, scenario, convention="asgi")
            took.append(perf_counter() - began)
        return took

    yield wsgi if convention == "wsgi" else lambda seconds: asyncio.run(on_a_loop(seconds)), process_time
    mine.close()


@contextmanager
def under_uvicorn(shadowed: bool) -> Iterator[tuple[Lap, Callable[[], float]]]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "benchmarks.shadow:asgi_app",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    server = subprocess.Popen(command, env=os.environ | {"BENCH_SHADOW": str(int(shadowed))})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask() -> None:
        connection.request("GET", "/items")
        assert len(connection.getresponse().read()) > 1000

    def lap(seconds: float) -> list[float]:
        connection.close()  # the server does it, if the others take long
        return list(_timed(ask, seconds))

    try:
        for _ in range(200):
            try:
                ask()
                break
            except OSError:
                connection.close()
                sleep(0.05)
        yield lap, lambda: sum(psutil.Process(server.pid).cpu_times()[:2])
    finally:
        connection.close()
        server.terminate()
        server.wait(10)


def _timed(ask: Callable[[], object], seconds: float) -> Iterator[float]:
    end = perf_counter() + seconds
    while perf_counter() < end:
        began = perf_counter()
        ask()
        yield perf_counter() - began


CASES: dict[str, Callable[[bool], Any]] = {
    "WSGI, in process": lambda shadowed: in_process("wsgi", shadowed),
    "ASGI, in process": lambda shadowed: in_process("asgi", shadowed),
    "ASGI, on uvicorn": under_uvicorn,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print(f"{'with the shadow, without = 1':30} CPU     median  mean    (median without)")
    for title, make in CASES.items():
        with ExitStack() as stack:
            laps = {name: stack.enter_context(make(name == "shadow")) for name in ("plain", "shadow")}
            figures: dict[str, list[tuple[float, ...]]] = {name: [] for name in laps}
            for name in turns([*laps], rounds):
                lap, cpu = laps[name]
                began = cpu()
                took = lap(2.0)
                figures[name].append(((cpu() - began) / len(took), median(took), mean(took)))
            pairs = list(zip(figures["plain"], figures["shadow"], strict=True))
            ratios = [median(shadowed[n] / plain[n] for plain, shadowed in pairs) for n in range(3)]
            without = median(plain[1] for plain in figures["plain"])
            print(f"{title:30} " + "   ".join(f"{ratio:5.3f}" for ratio in ratios) + f"   {without * 1e6:7.0f} us")


if __name__ == "__main__":
    main()
