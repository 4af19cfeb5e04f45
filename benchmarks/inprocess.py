"""The cases that need no server: an adapter, a raw application and a driver in one process.

`CASES` is the whole list; `contenders(case)` gives for each adapter a *lap*: a callable that runs n requests and
returns the seconds they took.  Everybody shares one loop (or one set of server threads), so the surroundings are equal.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from benchmarks import apps, peers
from benchmarks.drivers import Request, call_asgi, call_wsgi
from benchmarks.payload import MIB

Lap = Callable[[int], float]
Check = Callable[[], None]


@dataclass(frozen=True)
class Case:
    """One in-process comparison. `side` is the convention of the application; `width` requests run at a time."""

    name: str
    title: str
    side: str
    request: Request
    width: int = 1
    loop: str = "asyncio"
    cores: int = 0  # 0: as many as there are
    rounds: int = 31
    most: int = 400  # requests a slice

    @property
    def unit(self) -> str:
        return "µs" if self.request.kind == "hello" else "ms"

    @property
    def scale(self) -> float:
        return 1e6 if self.unit == "µs" else 1e3


HELLO, STREAM = Request("hello"), Request("stream", 500)
DOWN, UP = Request("download", 16 * MIB), Request("upload", 16 * MIB)

CASES = [
    Case("wsgi-hello-1", "WSGI hello under ASGI, one at a time", "wsgi", HELLO),
    Case("wsgi-hello-32", "WSGI hello under ASGI, 32 at a time", "wsgi", HELLO, width=32),
    Case("wsgi-hello-1-uvloop", "WSGI hello under ASGI, one at a time, on uvloop", "wsgi", HELLO, loop="uvloop"),
    Case("wsgi-hello-32-uvloop", "WSGI hello, 32 at a time, on uvloop", "wsgi", HELLO, width=32, loop="uvloop"),
    Case("wsgi-hello-1-core", "WSGI hello, one at a time, loop and threads on one core", "wsgi", HELLO, cores=1),
    Case("wsgi-stream", "WSGI stream of 500 small chunks", "wsgi", STREAM, rounds=15),
    Case("wsgi-download", "WSGI download of 16 MiB in 64 KiB pieces", "wsgi", DOWN, rounds=15),
    Case("wsgi-upload", "WSGI upload of 16 MiB in 64 KiB pieces", "wsgi", UP, rounds=15),
    Case("asgi-hello-1", "ASGI hello under WSGI, 1 thread", "asgi", HELLO),
    Case("asgi-hello-8", "ASGI hello under WSGI, 8 threads", "asgi", HELLO, width=8),
    Case("asgi-stream", "ASGI stream of 500 small chunks", "asgi", STREAM, rounds=15),
    Case("asgi-download", "ASGI download of 16 MiB in 64 KiB pieces", "asgi", DOWN, rounds=15),
    Case("asgi-upload", "ASGI upload of 16 MiB in 64 KiB pieces", "asgi", UP, rounds=15),
]
BY_NAME = {case.name: case for case in CASES}

# The naive hop, as a contender of its own in the hello cases; "(1)" is one at a time whatever the case's width is.
ONE_HOP = f"{peers.EXECUTOR} (1)"


def application(case: Case) -> Any:
    return getattr(apps, f"{case.side}_{case.request.kind}")


def contender_names(case: Case) -> list[str]:
    """The adapters that could run here, ours first, then the bare round trips."""
    table = peers.WSGI_TO_ASGI if case.side == "wsgi" else peers.ASGI_TO_WSGI
    return [*peers.installed(table), *bare_names(case)]


def bare_names(case: Case) -> list[str]:
    if case.request.kind != "hello":
        return []
    if case.side == "asgi":
        return [peers.LOOP_HOP]
    return [peers.EXECUTOR] if case.width == 1 else [peers.EXECUTOR, ONE_HOP]


def new_runner(case: Case) -> asyncio.Runner:
    if case.loop == "uvloop":
        import uvloop

        return asyncio.Runner(loop_factory=uvloop.new_event_loop)
    return asyncio.Runner()


def use_cores(count: int) -> None:
    """Binds this process to its first `count` cores, where the platform lets us."""
    if count and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def asgi_lap(runner: asyncio.Runner, once: Callable[[], Coroutine[Any, Any, None]], width: int) -> Lap:
    """`width` tasks share n calls of `once`."""

    async def some(count: int) -> None:
        for _ in range(count):
            await once()

    async def timed(count: int) -> float:
        started = perf_counter()
        if width == 1:
            await some(count)
        else:
            await asyncio.gather(*(some(count // width) for _ in range(width)))
        return perf_counter() - started

    return lambda count: runner.run(timed(count))


def wsgi_lap(threads: ThreadPoolExecutor, once: Callable[[], None], width: int) -> Lap:
    """`width` server threads share n calls of `once`."""

    def some(count: int) -> None:
        for _ in range(count):
            once()

    def timed(count: int) -> float:
        started = perf_counter()
        if width == 1:
            some(count)
        else:
            list(threads.map(some, [count // width] * width))
        return perf_counter() - started

    return timed


def check_asgi(runner: asyncio.Runner, app: Any, request: Request) -> None:
    runner.run(call_asgi(app, request, check=True))


def wsgi_contenders(case: Case) -> tuple[dict[str, Lap], dict[str, Check]]:
    """Laps and checks (one request, CRC compared) of a WSGI application under ASGI."""
    runner, request = new_runner(case), case.request
    checks: dict[str, Check]
    built = peers.build(peers.WSGI_TO_ASGI, application(case))
    laps = {n: asgi_lap(runner, partial(call_asgi, app, request), case.width) for n, app in built.items()}
    checks = {n: partial(check_asgi, runner, app, request) for n, app in built.items()}
    for name in bare_names(case):
        laps[name] = asgi_lap(runner, peers.executor_round_trip(), 1 if name == ONE_HOP else case.width)
    return laps, checks


def asgi_contenders(case: Case) -> tuple[dict[str, Lap], dict[str, Check]]:
    """Laps and checks of an ASGI application under WSGI."""
    threads, request = ThreadPoolExecutor(case.width), case.request
    checks: dict[str, Check]
    built = peers.build(peers.ASGI_TO_WSGI, application(case))
    laps = {n: wsgi_lap(threads, partial(call_wsgi, app, request), case.width) for n, app in built.items()}
    checks = {n: partial(call_wsgi, app, request, check=True) for n, app in built.items()}
    for name in bare_names(case):
        laps[name] = wsgi_lap(threads, peers.loop_round_trip(), case.width)
    return laps, checks


def contenders(case: Case) -> tuple[dict[str, Lap], dict[str, Check]]:
    return wsgi_contenders(case) if case.side == "wsgi" else asgi_contenders(case)
