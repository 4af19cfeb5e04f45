"""From the samples of both runs to the figures that a verdict needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._statistics import Estimate, estimate, longest_burst, mean_cpu, mean_wall, threads_to_fill_a_cpu
from ._waits import CONVERTIBLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._experiment import Contended
    from ._measure import Sample


@dataclass(frozen=True, slots=True)
class Measured:
    """A route's figures, in seconds.

    Attributes:
        wall, cpu: of one request alone; the CPU time of threads it works on is part of it.
        fill: requests under way that keep one CPU busy: wall over CPU.
        burst: the longest stretch of CPU.
        waits: mean time in known blocking calls, by kind, and `unknown`.
        in_turn: what could be saved at most if its waits were done at once, and not one after the other.
        gap: the longest time between two chunks.
        failed: the share of requests with a status of 500 or more, or an exception.
        refused: the status, if every answer was one of 400 to 499; otherwise 0.
        redirected: the status and the path, if every answer sent its client to the same one; otherwise empty.
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
    redirected: str
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
        redirected=redirection([(sample.status, sample.location) for sample in solo]),
        count=len(solo),
        grown=mean_wall(contended.samples) / wall.value,
        busy=contended.busy,
        at_once=contended.at_once,
    )


def refusal(statuses: Sequence[int]) -> int:
    """The first status, if all are of 400 to 499; otherwise 0."""
    return statuses[0] if all(400 <= status < 500 for status in statuses) else 0


def redirection(answers: Sequence[tuple[int, str]]) -> str:
    """The status and the path, `302 to /login`, if all sent their client to the same one; otherwise empty.

    Args:
        answers: their statuses and Location fields.
    """
    status, location = answers[0]
    paths = {location.partition("?")[0] for _, location in answers}
    same = len(paths) == 1 and "" not in paths and all(300 <= status < 400 for status, _ in answers)
    return f"{status} to {location.partition('?')[0]}" if same else ""


def _saved_at_most(sample: Sample) -> float:
    return max(sum(sample.waits.get(kind, 0.0) for kind in CONVERTIBLE) - sample.longest, 0.0)
