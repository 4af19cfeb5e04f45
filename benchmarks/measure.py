"""Taking turns, and what the turns say: slices, medians, ratios.

A contender is a callable that runs one slice and returns one figure.  Every round has all of them, in a new order: what
disturbs the machine for a while then disturbs all of them, and the ratio of two figures of one round is worth more than
either.  A contender that fails leaves the game with a reason; its earlier figures go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from random import Random
from statistics import median
from typing import Any

Slice = Callable[[], float]


@dataclass
class Result:
    """All figures of one case. `samples[contender][i]` is the figure of round i; `facts` are single figures beside."""

    name: str
    title: str
    unit: str
    higher_is_better: bool = False
    comparable: bool = True  # whether ratios mean anything
    samples: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    facts: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, contender: str, figure: float) -> None:
        self.samples.setdefault(contender, []).append(figure)

    def fail(self, contender: str, reason: str) -> None:
        self.samples.pop(contender, None)
        self.failures[contender] = reason

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def turns(contenders: list[str], rounds: int) -> Iterator[str]:
    """Whose turn it is: every round in another order, so nobody always follows the same neighbour."""
    order, dice = list(contenders), Random(rounds)  # seeded: the same run has the same order
    for _ in range(rounds):
        dice.shuffle(order)
        yield from order


def take_turns(result: Result, slices: dict[str, Slice], rounds: int, say: Callable[[str], None]) -> None:
    """Fills `result` with `rounds` figures of every contender."""
    for contender in turns(list(slices), rounds):
        if contender in result.failures:
            continue
        say(contender)
        try:
            result.add(contender, slices[contender]())
        except Exception as error:
            result.fail(contender, f"{type(error).__name__}: {error}")


def calibrate(lap: Callable[[int], float], seconds: float, step: int, most: int) -> int:
    """How many requests (a multiple of `step`) make a slice of about `seconds`; also warms the contender up."""
    count = step
    while (elapsed := lap(count)) < seconds / 4 and count < most:
        count = min(most, count * 4)
    wanted = round(count * seconds / elapsed / step) * step
    return max(step, min(most, wanted))


def advantages(result: Result, ours: str, peer: str) -> list[float]:
    """Round by round, how many times better `ours` was than `peer` (2.0: half the time, or twice the requests)."""
    pairs = zip(result.samples.get(ours, []), result.samples.get(peer, []), strict=False)
    return [mine / theirs if result.higher_is_better else theirs / mine for mine, theirs in pairs if mine and theirs]


def advantage(result: Result, ours: str, peer: str) -> float | None:
    """The median of `advantages`, None where one of the two has no figures."""
    ratios = advantages(result, ours, peer)
    return median(ratios) if ratios else None
