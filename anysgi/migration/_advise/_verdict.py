"""From measurements to a verdict: a table of questions, asked in order; the first that says yes decides.

The naive measure, 1 - CPU / wall, is used nowhere: on a busy server it takes waiting for the global lock for I/O.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ._statistics import Estimate, estimate, longest_burst, mean_cpu, mean_wall, threads_to_fill_a_cpu
from ._waits import CONVERTIBLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._experiment import Contended
    from ._measure import Sample

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
class Measured:
    """A route's figures, in seconds.

    Attributes:
        wall, cpu: of one request alone.
        fill: requests under way that keep one CPU busy: wall over CPU.
        burst: the longest stretch of CPU.
        waits: mean time in known blocking calls, by kind, and `unknown`.
        in_turn: what could be saved at most if its waits were done at once, and not one after the other.
        gap: the longest time between two chunks.
        failed: the share of requests with a status of 500 or more, or an exception.
        refused: the status, if every answer was one of 400 to 499; otherwise 0.
        count: samples taken alone.
        grown: wall time against itself, over that alone; run queue taken off both.
        busy: the share of the contended run in which requests had a CPU, or Python's global lock.
        at_once: requests under way in the contended run.
    """

    wall: Estimate
    cpu: Estimate
    fill: Estimate
    burst: float
    waits: dict[str, float]
    in_turn: float
    gap: float
    failed: float
    refused: int
    count: int
    grown: float
    busy: float
    at_once: int

    @property
    def waited(self) -> float:
        """Seconds of waiting in a request, whatever for."""
        return sum(self.waits.values())

    def share(self, *kinds: str) -> float:
        """The share of the waiting that is of these kinds."""
        return sum(self.waits.get(kind, 0.0) for kind in kinds) / self.waited if self.waited else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a route, and why."""

    word: Word
    why: str


def summarize(solo: Sequence[Sample], contended: Contended) -> Measured:
    """Reduce the samples of both runs, at least one each, to the figures a verdict needs."""
    kinds = {kind for sample in solo for kind in sample.waits}
    waits = {kind: sum(sample.waits.get(kind, 0.0) for sample in solo) / len(solo) for kind in sorted(kinds)}
    wall = estimate(solo, mean_wall)
    return Measured(
        wall=wall,
        cpu=estimate(solo, mean_cpu),
        fill=estimate(solo, threads_to_fill_a_cpu),
        burst=longest_burst(solo),
        waits=waits | {"unknown": sum(sample.unknown for sample in solo) / len(solo)},
        in_turn=sum(_saved_at_most(sample) for sample in solo) / len(solo),
        gap=max(sample.gap for sample in solo),
        failed=sum(sample.status == 0 or sample.status >= 500 for sample in solo) / len(solo),
        refused=refusal([sample.status for sample in solo]),
        count=len(solo),
        grown=mean_wall(contended.samples) / wall.value,
        busy=contended.busy,
        at_once=contended.at_once,
    )


def refusal(statuses: Sequence[int]) -> int:
    """The first status, if all are of 400 to 499; otherwise 0."""
    return statuses[0] if all(400 <= status < 500 for status in statuses) else 0


def why_refused(status: int) -> str:
    """What a route that answers nothing else does not show."""
    return (
        f"every answer was {status}, so its handler may never have run: add requests that it accepts, with the headers "
        "they need (--header)"
    )


def too_few(count: int) -> str:
    """What to do where the time was over too soon."""
    return f"{count} sample{'s' * (count != 1)}, and {ENOUGH} are needed: raise --seconds or --samples"


def _saved_at_most(sample: Sample) -> float:
    return max(sum(sample.waits.get(kind, 0.0) for kind in CONVERTIBLE) - sample.longest, 0.0)


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
    """It waits enough for a move to matter, but in calls that are not known."""
    if m.fill.above(demand.threads) is False or m.share("unknown") <= _MOSTLY:
        return ""
    return (
        f"{m.share('unknown'):.0%} of its {ms(m.waited)} of waiting is in calls this tool cannot see, such as a "
        "database driver in C: whether they have an asyncio API is the question"
    )


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
    ("UNKNOWN", _nobody_knows_what_for),
    ("UNKNOWN", _is_close),
    ("MOVE", _runs_out_of_threads),
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
