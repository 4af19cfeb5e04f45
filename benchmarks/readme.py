"""The README's table of ratios: what `RESULTS.md` says of our peers, all of it so that more is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.measure import advantage
from benchmarks.report import figure, table
from benchmarks.targets import TARGETS

if TYPE_CHECKING:
    from benchmarks.measure import Result
    from benchmarks.targets import Target

BEGIN, END = "<!-- ratios:begin -->\n", "<!-- ratios:end -->"


def renew(readme: str, results: dict[str, Result]) -> str:
    """Return the README with the table of these results."""
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}{ratios(results)}{END}{rest.partition(END)[2]}"


def ratios(results: dict[str, Result]) -> str:
    """One row for each peer that a figure names."""
    rows = [
        [target.work, peer_of(target), f"{figure(gain)} x"]
        for target in TARGETS
        if target.peer and target.case in results and (gain := gained(target, results[target.case])) is not None
    ]
    return table(["work", "measured against", "anysgi is better by"], rows)


def peer_of(target: Target) -> str:
    """What a row is held against; rows of the same work differ by what is counted, and by convention."""
    counted = {"RSS MiB": "memory (RSS) of ", "PSS MiB": "memory (PSS) of "}.get(target.fact, "")
    work, _, convention = target.case.partition("-")
    both = convention in ("asgi", "wsgi") and work in ("middleware", "compress")
    return f"{counted}{target.peer}{f', {convention.upper()}' if both else ''}"


def gained(target: Target, result: Result) -> float | None:
    """How many times better ours is, whatever the figure to reach says."""
    if not target.fact:
        return advantage(result, target.ours, target.peer)
    mine, theirs = (result.facts.get(who, {}).get(target.fact) for who in (peers.OURS, target.peer))
    return theirs / mine if mine and theirs else None
