"""A route of an ASGI app, on an event loop: does it hold up everybody else?

What a handler waits for in a blocking call, and what it computes in one piece, all other requests of the process wait
for as well.  Both are looked at on the loop's own thread: what a handler does on another one holds up nobody.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any, NamedTuple

from anysgi.exceptions import ExchangeTimeout
from anysgi.testing import arun

from .._compare._targets import scenario_of
from .._lifespan import started
from ._figures import redirection, refusal
from ._verdict import ENOUGH, FAILED, LOOP_STOPS, Verdict, ms, too_few, why_redirected, why_refused
from ._waits import tally

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from .._compare._exchanges import Asked

_BOUND = 10.0  # seconds a request may take
_WARM_UP = 3
_FELT = 0.001  # seconds of waiting on the loop that are worth a word


@dataclass(frozen=True, slots=True)
class Held:
    """What a route's requests did to the loop, in seconds.

    Attributes:
        count: requests measured.
        failed: the share of them with a status of 500 or more, an exception, or no end.
        refused: the status, if every answer was one of 400 to 499; otherwise 0.
        redirected: the status and the path, if every answer sent its client to the same one; otherwise empty.
        burst: the longest stretch of CPU between two turns of the loop; one request in twenty has a longer one.
        waits: mean time in known blocking calls, by kind.
    """

    count: int
    failed: float
    refused: int
    redirected: str
    burst: float
    waits: dict[str, float]


@dataclass(frozen=True, slots=True)
class LoopAdvice:
    """A route's verdict, and what it stands on."""

    route: str
    verdict: Verdict
    measured: Held


def advise_on_a_loop(
    app: Any, groups: dict[str, list[Asked]], samples: int, seconds: float, begin: Callable[[str], None]
) -> list[LoopAdvice]:
    """Measure the routes of an ASGI app, one request at a time, and decide.  To be called inside `watched()`.

    Args:
        app: the ASGI app; its lifespan is run around all of it.
        groups: requests by the name of their route.
        samples: requests of each route.
        seconds: the longest a route may take, whatever was measured by then.
        begin: is told each route before it is measured.
    """

    async def work() -> list[LoopAdvice]:
        held: dict[str, Held] = {}
        async with started(app, "asgi") as state:
            for route, group in groups.items():
                begin(route)
                held[route] = await _held(app, group, samples, seconds, state)
        return [LoopAdvice(route, judge(one), one) for route, one in held.items()]

    return asyncio.run(work())


async def _held(
    app: Any, requests: Sequence[Asked], samples: int, seconds: float, state: dict[str, Any] | None
) -> Held:
    taken: list[_One] = []
    end = perf_counter() + seconds
    for number in range(_WARM_UP + samples):
        one = await _one(app, requests[number % len(requests)], state)
        if number >= _WARM_UP:
            taken.append(one)
        if taken and perf_counter() > end:
            break
    bursts = sorted(one.burst for one in taken)
    kinds = {kind for one in taken for kind in one.waits}
    return Held(
        count=len(taken),
        failed=sum(one.status >= 500 for one in taken) / len(taken),
        refused=refusal([one.status for one in taken]),
        redirected=redirection([(one.status, one.location) for one in taken]),
        burst=bursts[int((len(bursts) - 1) * 0.95)],
        waits={kind: sum(one.waits.get(kind, 0.0) for one in taken) / len(taken) for kind in sorted(kinds)},
    )


class _One(NamedTuple):
    """A request: its status, 500 for any failure; its longest stretch of CPU, and its waits on the loop's thread."""

    status: int
    location: str
    burst: float
    waits: dict[str, float]


async def _one(app: Any, request: Asked, state: dict[str, Any] | None) -> _One:
    location = ""
    async with _turns() as bursts:
        tally.begin()
        try:
            exchange = await arun(app, scenario_of(request), convention="asgi", bound=_BOUND, state=state)
            status = 500 if exchange.exception is not None else exchange.status or 500
            location = next(
                (str(value, "latin-1") for name, value in exchange.headers if name.lower() == b"location"), ""
            )
        except ExchangeTimeout:
            status = 500
        waits, _ = tally.end()
    return _One(status, location, max(bursts, default=0.0), waits)


@asynccontextmanager
async def _turns() -> AsyncIterator[list[float]]:
    """Note how much CPU the loop's thread used between each two turns of the loop."""
    bursts: list[float] = []

    async def watch() -> None:
        last = thread_time()
        while True:
            await asyncio.sleep(0)
            now = thread_time()
            bursts.append(now - last)
            last = now

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    try:
        yield bursts
        await asyncio.sleep(0)
    finally:
        task.cancel()


def judge(held: Held) -> Verdict:
    """Decide."""
    waited = sum(held.waits.values())
    if held.failed > FAILED:
        return Verdict("UNKNOWN", f"{held.failed:.0%} of its requests fail, and a failure takes another time")
    if held.refused:
        return Verdict("UNKNOWN", why_refused(held.refused))
    if held.count < ENOUGH:
        return Verdict("UNKNOWN", too_few(held.count))
    if waited > _FELT:
        kinds = ", ".join(f"{kind} {ms(time)}" for kind, time in held.waits.items() if time > waited / 10)
        return Verdict(
            "FIX FIRST",
            f"it waits on the event loop ({kinds}), and every other request with it: def instead of async def, a "
            "client for asyncio, or anyio.to_thread",
        )
    if held.burst > LOOP_STOPS:
        why = f"{ms(held.burst)} of CPU in one piece stop the event loop: a thread, a process, or a queue"
        return Verdict("FIX FIRST", why)
    if held.redirected:
        return Verdict("UNKNOWN", why_redirected(held.redirected))
    return Verdict("KEEP", f"it holds the event loop for {ms(held.burst)} at a time, and waits nowhere on it")
