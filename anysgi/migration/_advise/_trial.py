"""Check the advice by running both: the route on a few threads, and a coroutine that works and waits as long.

Both run under the same loop and the same clients, four for each thread, in turn; the best of three rounds counts, since
what disturbs a measurement only slows it.  The prediction is the ratio of their rates; the measured ratio stands beside
it, and the error is printed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any

from ... import WsgiToAsgi
from ._requests import scope_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...types import ASGIApp, Receive, Scope, Send
    from .._compare._exchanges import Asked
    from ._figures import Measured

_THREADS = 4
_CLIENTS = 16
_REQUESTS = 96
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """Rates of both, in requests per second.

    Attributes:
        threads: measured on `WsgiToAsgi(threads=4)` with 16 clients.
        loop: measured on the loop, with simulated work and waits.
        predicted: the gain that wall and CPU time promise: `loop / threads`.
    """

    threads: float
    loop: float
    predicted: float

    @property
    def measured(self) -> float:
        """The gain that was measured."""
        return self.loop / self.threads

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of what was measured."""
        return self.predicted / self.measured - 1


def try_both(app: Any, requests: Sequence[Asked], measured: Measured, seconds: float) -> Trial:
    """Run a route on threads and, simulated, on a loop.

    Args:
        app: the WSGI app.
        requests: taken in turn.
        measured: its figures from the run alone.
        seconds: the longest each of the two may take.
    """
    wall, cpu = measured.wall.value, max(measured.cpu.value, 1e-6)
    adapter = WsgiToAsgi(app, threads=_THREADS)
    simulation = _simulation(cpu, measured.waited)
    threads = loop = 0.0
    try:
        for _ in range(_ROUNDS):
            # In asyncio's debug mode it would be the mode that is measured.
            threads = max(threads, asyncio.run(_rate(adapter, requests, seconds / _ROUNDS), debug=False))
            loop = max(loop, asyncio.run(_rate(simulation, requests, seconds / _ROUNDS), debug=False))
    finally:
        adapter.drain()
    predicted = min(_CLIENTS / wall, 1 / cpu) / min(_THREADS / wall, 1 / cpu)
    return Trial(threads, loop, predicted)


def _simulation(cpu: float, waits: float) -> ASGIApp:
    """A coroutine that computes for as long as the route does, and awaits what it waited for."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        end = thread_time() + cpu
        while thread_time() < end:
            pass
        await asyncio.sleep(waits)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def _rate(app: ASGIApp, requests: Sequence[Asked], seconds: float) -> float:
    """Send requests with sixteen clients, and return how many a second were answered."""
    turns = iter(range(_REQUESTS))
    started = perf_counter()
    answered = 0

    async def client() -> None:
        nonlocal answered
        for number in turns:
            if perf_counter() - started > seconds:
                return
            await _send_one(app, requests[number % len(requests)])
            answered += 1

    await asyncio.gather(*(client() for _ in range(_CLIENTS)))
    return answered / (perf_counter() - started)


async def _send_one(app: ASGIApp, request: Asked) -> None:
    messages = iter(({"type": "http.request", "body": request.body, "more_body": False},))
    over = asyncio.Event()

    async def receive() -> Any:
        message = next(messages, None)
        if message is None:
            await over.wait()
            return {"type": "http.disconnect"}
        return message

    async def send(_message: Any) -> None: ...

    try:
        await app(scope_of(request), receive, send)
    finally:
        over.set()
