"""What the router counts, per route and side: requests, errors, and the time to the head.  Bounded, and per process."""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._table import Side

DEFAULT = "(default)"
"""The name under which requests are counted that no route takes."""

EDGES = tuple(0.0005 * 2 ** (step / 2) for step in range(36))
"""Upper edges of the latency buckets in seconds: half a millisecond to 91 s, each 1.41 times the one before."""


@dataclass(slots=True)
class Tally:
    """One route on one side.

    Attributes:
        requests: that this side answered, or failed to.
        errors: exceptions, and statuses from 500.
        handed_on: requests of the new side that fell through to legacy (404, 405).
        rescued: requests of the new side that legacy answered after it crashed or hung.
        seconds: total time to the head.
        buckets: how many heads took at most `EDGES[n]` seconds; the last bucket holds the rest.
    """

    requests: int = 0
    errors: int = 0
    handed_on: int = 0
    rescued: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))

    def quantile(self, share: float) -> float | None:
        """The seconds to the head that `share` (0 to 1) of the requests kept, to within 41 %; None if unknown."""
        total = sum(self.buckets)
        if not total:
            return None
        seen = 0
        for edge, count in zip(EDGES, self.buckets, strict=False):
            seen += count
            if seen >= share * total:
                return edge
        return float("inf")


class Stats:
    """All tallies of one router in this process."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """The child counts its own."""
        self._lock = threading.Lock()
        self._tallies: dict[tuple[str, Side], Tally] = {}

    def count(self, tally: Tally, seconds: float, failed: bool) -> None:
        """Count one request that was answered.

        Args:
            tally: from `running()`.
            seconds: to the head.
            failed: by an exception, or with a status from 500.
        """
        bucket = bisect_left(EDGES, seconds)
        self._lock.acquire()  # a `with` would cost more than all that is done under it, and every request pays
        try:
            tally.requests += 1
            tally.errors += failed
            tally.seconds += seconds
            tally.buckets[bucket] += 1
        finally:
            self._lock.release()

    def fail(self, tally: Tally) -> None:
        """Count the error of a request that was counted as answered at its head."""
        with self._lock:
            tally.errors += 1

    def hand_on(self, tally: Tally, *, crashed: bool) -> None:
        """Count one request that the new side left to legacy."""
        with self._lock:
            tally.rescued += crashed
            tally.errors += crashed
            tally.handed_on += not crashed

    def running(self, name: str, side: Side) -> Tally:
        """Return the tally that `count` is given; only under the lock does it hold still.

        Args:
            name: the route's name, or `DEFAULT`.
            side: who answers.
        """
        with self._lock:
            return self._tallies.setdefault((name, side), Tally())

    def keep(self, names: Iterable[str]) -> None:
        """Forget every route but these: tables come and go."""
        known = {*names, DEFAULT}
        with self._lock:
            self._tallies = {key: tally for key, tally in self._tallies.items() if key[0] in known}

    def tally(self, name: str, side: Side) -> Tally:
        """Return a copy of one tally."""
        with self._lock:
            tally = self._tallies.get((name, side)) or Tally()
            return Tally(
                tally.requests, tally.errors, tally.handed_on, tally.rescued, tally.seconds, tally.buckets.copy()
            )
