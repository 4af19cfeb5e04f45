"""Means with intervals, by resampling: request times are skewed, and a normal distribution would lie."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._measure import Sample

_RESAMPLES = 400
_SEED = 20261124  # the same samples give the same answer


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def above(self, limit: float) -> bool | None:
        """Whether it is above a limit; None when the interval reaches over it."""
        return None if self.low < limit < self.high else self.value >= limit


def estimate(samples: Sequence[Sample], statistic: Callable[[Sequence[Sample]], float]) -> Estimate:
    """Estimate a statistic of requests, and how sure it is.

    Args:
        samples: the requests that were measured.
        statistic: a function of a list of samples.
    """
    chance = random.Random(_SEED)
    drawn = sorted(statistic(chance.choices(samples, k=len(samples))) for _ in range(_RESAMPLES))
    return Estimate(statistic(samples), drawn[int(_RESAMPLES * 0.025)], drawn[int(_RESAMPLES * 0.975)])


def mean_wall(samples: Sequence[Sample]) -> float:
    """Mean wall time less the time in the run queue, which belongs to the machine and not to the route."""
    return sum(sample.wall - sample.queued for sample in samples) / len(samples)


def mean_cpu(samples: Sequence[Sample]) -> float:
    """Mean CPU time, on whatever thread."""
    return sum(sample.cpu + sample.aside for sample in samples) / len(samples)


def threads_to_fill_a_cpu(samples: Sequence[Sample]) -> float:
    """How many requests must be under way for one CPU to be busy all the time: wall over CPU."""
    return max(mean_wall(samples) / max(mean_cpu(samples), 1e-9), 1.0)


def longest_burst(samples: Sequence[Sample]) -> float:
    """The 95th percentile of the longest bursts."""
    bursts = sorted(sample.burst for sample in samples)
    return bursts[int((len(bursts) - 1) * 0.95)]
