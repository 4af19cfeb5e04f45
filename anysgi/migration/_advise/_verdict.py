"""From measurements to a verdict: a table of questions, asked in order; the first that says yes decides.

The naive measure, 1 - CPU / wall, is used nowhere: on a busy server it takes waiting for the global lock for I/O.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ._waits import CONVERTIBLE

if TYPE_CHECKING:
    from ._figures import Measured

Word = Literal["MOVE", "KEEP", "STAY", "FIX FIRST", "UNKNOWN"]

ENOUGH = 30  # samples for an interval that means something
FAILED = 0.1  # share of failed requests that makes a measurement worthless
LOOP_STOPS = 0.020  # seconds of CPU in one piece that everybody else on a loop would feel
_LONG_LIVED = 1.0  # seconds between two chunks: a stream that holds its thread
_IDLE = 0.5  # busy share below which nobody can have waited for the CPU or the global lock
_GROWN = 2.0  # times the solo wall time that requests take against each other, at least
_IN_LINE = 6  # requests: where so many share one thing, they take as many times as long
_MOSTLY = 0.5
_SMALL = 0.1
_HIGH_LOAD = 0.7  # of one CPU: beyond, queues grow whatever the threads do


@dataclass(frozen=True, slots=True)
class Demand:
    """What the server is asked for, and has.

    Attributes:
        threads: of one process.
        rate: requests per second of this route, per process; None if it is not known.
    """

    threads: int = 40
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a route, and why."""

    word: Word
    why: str


def why_refused(status: int) -> str:
    """What a route that answers nothing else does not show."""
    return (
        f"every answer was {status}, so its handler may never have run: add requests that it accepts, with the headers "
        "they need (--header)"
    )


def why_redirected(redirected: str) -> str:
    """What a route that sends everybody to one place may not show."""
    return (
        f"every answer was {redirected}: if that is a login, its handler has never run, so add the headers it needs "
        "(--header); if it is all the route does, a move would gain nothing"
    )


def too_few(count: int) -> str:
    """What to do where the time was over too soon."""
    return f"{count} sample{'s' * (count != 1)}, and {ENOUGH} are needed: raise --seconds or --samples"


def judge(measured: Measured, demand: Demand) -> Verdict:
    """Decide.

    Args:
        measured: a route's figures.
        demand: threads and rate.
    """
    for word, question in _QUESTIONS:
        why = question(measured, demand)
        if why:
            return Verdict(word, why)
    return Verdict("KEEP", _keep(measured, demand))


def _too_little(m: Measured, _demand: Demand) -> str:
    return too_few(m.count) if m.count < ENOUGH and m.gap < _LONG_LIVED else ""


def _fails(m: Measured, _demand: Demand) -> str:
    return f"{m.failed:.0%} of its requests fail, and a failure takes another time" if m.failed > FAILED else ""


def _refuses(m: Measured, _demand: Demand) -> str:
    return why_refused(m.refused) if m.refused else ""


def _is_long_lived(m: Measured, _demand: Demand) -> str:
    if m.gap < _LONG_LIVED or m.waited < _MOSTLY * m.wall.value:
        return ""
    return f"it streams, up to {m.gap:.1f} s between chunks: each client holds a thread all the while"


def _wait_for_each_other(m: Measured, _demand: Demand) -> str:
    if m.grown < max(_GROWN, m.at_once / _IN_LINE) or m.busy >= _IDLE:
        return ""
    if m.wall.value * (m.grown - 1) < sys.getswitchinterval():  # so long the global lock alone may take to change hands
        return ""
    return (
        f"{m.at_once} at once take {m.grown:.1f} times as long, with the CPU {1 - min(m.busy, 1):.0%} idle: they wait "
        "for something they share, such as a lock, a pool, or a table"
    )


def _stops_a_loop(m: Measured, _demand: Demand) -> str:
    if m.burst < LOOP_STOPS:
        return ""
    return (
        f"{ms(m.burst)} of CPU in one piece would stop an event loop; the ceiling is {1 / m.cpu.value:.0f} requests/s "
        "per CPU, whatever the server: a thread, more processes, or a queue"
    )


def _nobody_knows_what_for(m: Measured, demand: Demand) -> str:
    """It waits enough for a move to matter, but in calls that are not known, or for what threads of its own do."""
    hidden = m.share("unknown", "lock")
    if m.fill.above(demand.threads) is False or hidden <= _MOSTLY:
        return ""
    unseen = "in calls this tool cannot see, such as a database driver in C"
    if m.share("lock") > m.share("unknown"):
        unseen = "for other threads, and what those wait for this tool cannot see"
    return f"{hidden:.0%} of its {ms(m.waited)} of waiting is {unseen}: whether that has an asyncio API is the question"


def _redirects(m: Measured, _demand: Demand) -> str:
    """Nothing that it does speaks for a move; which may be because it was not let do anything."""
    return why_redirected(m.redirected) if m.redirected else ""


def _is_close(m: Measured, demand: Demand) -> str:
    if m.fill.above(demand.threads) is not None:
        return ""
    return (
        f"a CPU is full at {m.fill.low:.0f} to {m.fill.high:.0f} requests under way, and there are {demand.threads} "
        "threads: too close to call"
    )


def _runs_out_of_threads(m: Measured, demand: Demand) -> str:
    """Threads end before the CPU does, and the waiting could be done without them."""
    if not m.fill.above(demand.threads) or m.share(*CONVERTIBLE) < _MOSTLY:
        return ""
    if demand.rate is not None and demand.rate * m.wall.value <= demand.threads * _MOSTLY:
        return ""  # Little's law: it never has that many under way
    waited_for = {kind: time for kind, time in m.waits.items() if kind in CONVERTIBLE and time > _SMALL * m.waited}
    kinds = ", ".join(f"{kind} {ms(time)}" for kind, time in waited_for.items())
    at_once = f"; up to {ms(m.in_turn)} less if its waits are independent" if m.in_turn > _SMALL * m.waited else ""
    return (
        f"{demand.threads} threads end at {demand.threads / m.wall.value:.0f} requests/s, a CPU at "
        f"{1 / m.cpu.value:.0f}; it waits for {kinds}, which need no thread{at_once}"
    )


_QUESTIONS: tuple[tuple[Word, Callable[[Measured, Demand], str]], ...] = (
    ("UNKNOWN", _fails),
    ("UNKNOWN", _refuses),
    ("UNKNOWN", _too_little),
    ("FIX FIRST", _wait_for_each_other),
    ("MOVE", _is_long_lived),
    ("STAY", _stops_a_loop),
    ("MOVE", _runs_out_of_threads),
    ("UNKNOWN", _redirects),
    ("UNKNOWN", _nobody_knows_what_for),
    ("UNKNOWN", _is_close),
)


def _keep(m: Measured, demand: Demand) -> str:
    """Why a move would gain nothing."""
    if demand.rate is not None and demand.rate * m.cpu.value > _HIGH_LOAD:
        return f"{demand.rate:.0f} requests/s use {demand.rate * m.cpu.value:.0%} of a CPU: more processes, not ASGI"
    if demand.rate is not None and m.fill.value > demand.threads:
        under_way = demand.rate * m.wall.value
        return f"{demand.rate:.0f} requests/s are {under_way:.1f} under way on average, of {demand.threads} threads"
    if m.fill.value > demand.threads:
        return "its waiting has no asyncio equivalent: it would go to a thread under ASGI as well"
    return (
        f"{m.fill.value:.1f} requests under way fill a CPU, and there are {demand.threads} threads: the ceiling of "
        f"{1 / m.cpu.value:.0f} requests/s per CPU is the same under ASGI"
    )


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
