"""Two runs of a route: alone in the process, and against itself.

Alone, time off the CPU is waiting.  Against itself, what is added is queueing: for the CPU, for Python's global lock,
or for something the requests share.  Which of them, the busy share tells: if they used little CPU meanwhile, and a
thread that did nothing but ask for the global lock got it at once, they waited for each other.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from ._measure import Sample, measure
from ._waits import run_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .._compare._exchanges import Asked

_WARM_UP = 3
_FEWEST_AT_ONCE = 4  # fewer would not show what requests do to each other
_MOMENT = 0.001  # seconds between two looks at the global lock
_SLACK = 0.0005  # seconds that a timer may be late by itself


@dataclass(frozen=True, slots=True)
class Contended:
    """A route against itself.

    Attributes:
        samples: its requests.
        at_once: how many were under way at a time.
        elapsed: seconds the whole run took.
        cpu: seconds of CPU that the process used meanwhile, threads of the app's own included.
        held: the share of the time in which somebody who wanted Python's global lock waited for it.
    """

    samples: tuple[Sample, ...]
    at_once: int
    elapsed: float
    cpu: float
    held: float = 0.0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.samples) / self.elapsed

    @property
    def busy(self) -> float:
        """The share of the time in which requests had a CPU, or the global lock; more than 1 on several CPUs.

        Not the time in the run queue: where other processes use the machine, that is theirs.
        """
        return max(self.cpu / self.elapsed, self.held)


def alone(app: Any, requests: Sequence[Asked], count: int, seconds: float) -> list[Sample]:
    """Measure requests one after the other, on this thread.

    Args:
        app: a WSGI app.
        requests: taken in turn.
        count: how many to measure, after a few to warm up.
        seconds: stop after this time, whatever was measured by then; one request at least.
    """
    samples: list[Sample] = []
    end = perf_counter() + seconds
    for number in range(_WARM_UP):
        if perf_counter() < end:
            measure(app, requests[number % len(requests)])
    while not samples or (len(samples) < count and perf_counter() < end):
        samples.append(measure(app, requests[len(samples) % len(requests)]))
    return samples


def against_itself(app: Any, requests: Sequence[Asked], at_once: int, count: int, seconds: float) -> Contended:
    """Measure requests on several threads at a time.

    Args:
        app: a WSGI app.
        requests: taken in turn.
        at_once: how many threads; at least four are used.
        count: how many requests to measure in all.
        seconds: stop after this time, whatever was measured by then.
    """
    threads = max(at_once, _FEWEST_AT_ONCE)
    turns = iter(range(count))
    samples: list[Sample] = []
    together = threading.Barrier(threads + 1)
    end = [0.0]

    def work() -> None:
        together.wait()
        while not samples or perf_counter() < end[0]:
            number = next(turns, None)  # one bytecode: atomic
            if number is None:
                return
            samples.append(measure(app, requests[number % len(requests)]))

    workers = [threading.Thread(target=work, name=f"anysgi-advise-{number}", daemon=True) for number in range(threads)]
    for worker in workers:
        worker.start()
    end[0] = perf_counter() + seconds
    started, cpu = perf_counter(), process_time()
    with _global_lock() as held:
        together.wait()
        for worker in workers:
            worker.join()
        elapsed, used = perf_counter() - started, process_time() - cpu
    return Contended(tuple(samples), threads, elapsed, used, held())


@contextmanager
def _global_lock() -> Iterator[Callable[[], float]]:
    """See how long somebody waits for Python's global lock: a thread gives it up, and wants it back a moment later.

    Yields:
        Called after the block: the share of the time that was spent in waiting, the run queue taken off.
    """
    over = threading.Event()
    waited: list[float] = []

    def look() -> None:
        while not over.is_set():
            asleep, queued = perf_counter(), run_queue()
            time.sleep(_MOMENT)
            waited.append(max(perf_counter() - asleep - _MOMENT - (run_queue() - queued) - _SLACK, 0.0))

    watcher = threading.Thread(target=look, name="anysgi-advise-lock", daemon=True)
    watcher.start()
    try:
        yield lambda: sum(waited) / (sum(waited) + _MOMENT * len(waited)) if waited else 0.0
    finally:
        over.set()
        watcher.join()
