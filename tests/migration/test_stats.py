"""What the router counts."""

from __future__ import annotations

import pytest

from anysgi.migration import Stats
from anysgi.migration._stats import EDGES


def test_requests_errors_and_latency_are_counted_per_route_and_side() -> None:
    stats = Stats()
    for seconds in (0.001, 0.001, 0.2):
        stats.count(stats.running("a", "new"), seconds, failed=seconds > 0.1)
    stats.count(stats.running("a", "legacy"), 0.001, failed=False)
    tally = stats.tally("a", "new")
    assert (tally.requests, tally.errors, round(tally.seconds, 3)) == (3, 1, 0.202)
    assert stats.tally("a", "legacy").requests == 1
    assert stats.tally("b", "new").requests == 0


@pytest.mark.parametrize("seconds", [0.0, 0.0004, 0.003, 0.05, 1.0, 60.0])
def test_a_quantile_is_right_to_within_one_bucket(seconds: float) -> None:
    stats = Stats()
    for _ in range(100):
        stats.count(stats.running("a", "new"), seconds, failed=False)
    quantile = stats.tally("a", "new").quantile(0.95)
    assert quantile is not None
    assert seconds <= quantile <= max(seconds * 1.4143, EDGES[0])


def test_a_quantile_needs_requests_and_may_be_off_the_scale() -> None:
    stats = Stats()
    assert stats.tally("a", "new").quantile(0.5) is None
    stats.count(stats.running("a", "new"), 1000.0, failed=False)
    assert stats.tally("a", "new").quantile(0.5) == float("inf")


def test_a_copy_does_not_change_any_more() -> None:
    stats = Stats()
    stats.count(stats.running("a", "new"), 0.1, failed=False)
    tally = stats.tally("a", "new")
    stats.count(stats.running("a", "new"), 0.1, failed=False)
    assert (tally.requests, sum(tally.buckets)) == (1, 1)
