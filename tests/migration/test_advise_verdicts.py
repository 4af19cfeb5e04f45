"""The verdict of `anysgi advise`, from figures: a table of what is asked, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from anysgi.migration._advise._experiment import Contended
from anysgi.migration._advise._figures import Measured, summarize
from anysgi.migration._advise._measure import Sample
from anysgi.migration._advise._statistics import Estimate, estimate, longest_burst, mean_cpu, mean_wall
from anysgi.migration._advise._trial import Trial
from anysgi.migration._advise._verdict import Demand, judge


def exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def route(wall: float, cpu: float, waits: dict[str, float] | None = None, **other: Any) -> Measured:
    """A route with 60 good samples, whose requests do nothing to each other."""
    given = waits if waits is not None else {"socket": wall - cpu}
    plain = Measured(
        wall=exactly(wall),
        cpu=exactly(cpu),
        fill=exactly(wall / cpu),
        burst=min(cpu, 0.001),
        waits={**given, "unknown": 0.0, **({"unknown": given["unknown"]} if "unknown" in given else {})},
        in_turn=0.0,
        gap=0.0,
        failed=0.0,
        refused=0,
        redirected="",
        count=60,
        grown=1.0,
        busy=0.1,
        at_once=8,
    )
    return replace(plain, **other)


WAITING = route(0.100, 0.001)
COMPUTING = route(0.010, 0.010, {})


@pytest.mark.parametrize(
    ("measured", "demand", "word", "why"),
    [
        (WAITING, Demand(40), "MOVE", "40 threads end at 400 requests/s, a CPU at 1000"),
        (WAITING, Demand(40, rate=300), "MOVE", "socket 99.0 ms"),
        (WAITING, Demand(40, rate=100), "KEEP", "10.0 under way on average, of 40 threads"),
        (WAITING, Demand(200), "KEEP", "100.0 requests under way fill a CPU"),
        (replace(WAITING, in_turn=0.05), Demand(40), "MOVE", "up to 50.0 ms less if its waits are independent"),
        (COMPUTING, Demand(40), "KEEP", "the ceiling of 100 requests/s per CPU is the same under ASGI"),
        (COMPUTING, Demand(40, rate=90), "KEEP", "90% of a CPU: more processes, not ASGI"),
        (replace(COMPUTING, burst=0.03), Demand(40), "STAY", "30.0 ms of CPU in one piece would stop an event loop"),
        (replace(WAITING, burst=0.03), Demand(40), "STAY", "would stop an event loop"),
        (route(0.1, 0.001, {"database": 0.099}), Demand(40), "KEEP", "no asyncio equivalent"),
        (route(0.1, 0.001, {"unknown": 0.099}), Demand(40), "UNKNOWN", "calls this tool cannot see"),
        (route(0.1, 0.01, {"unknown": 0.09}), Demand(40), "KEEP", "10.0 requests under way"),
        (replace(WAITING, grown=8.0, busy=0.1), Demand(40), "FIX FIRST", "8 at once take 8.0 times as long"),
        (replace(WAITING, grown=8.0, busy=0.9), Demand(40), "MOVE", ""),
        (replace(COMPUTING, grown=8.0, busy=1.0), Demand(40), "KEEP", ""),
        (route(0.0001, 0.0001, {}, grown=11.0, busy=0.4), Demand(40), "KEEP", "1.0 requests under way"),
        (replace(WAITING, grown=1.9, busy=0.1), Demand(40), "MOVE", ""),
        (replace(WAITING, fill=Estimate(45, 30, 60)), Demand(40), "UNKNOWN", "too close to call"),
        (replace(WAITING, count=29), Demand(40), "UNKNOWN", "29 samples, and 30 are needed: raise --seconds"),
        (replace(WAITING, count=5, gap=2.0), Demand(40), "MOVE", "it streams, up to 2.0 s between chunks"),
        (replace(COMPUTING, gap=2.0), Demand(40), "KEEP", ""),
        (
            replace(WAITING, refused=401),
            Demand(40),
            "UNKNOWN",
            "every answer was 401, so its handler may never have run",
        ),
        (replace(COMPUTING, redirected="302 to /login"), Demand(40), "UNKNOWN", "every answer was 302 to /login: "),
        (replace(WAITING, redirected="302 to /items"), Demand(40), "MOVE", ""),  # it did work before
        (
            route(0.1, 0.001, {"lock": 0.099}),
            Demand(40),
            "UNKNOWN",
            "of waiting is for other threads",
        ),
        (route(0.1, 0.001, {"lock": 0.02, "socket": 0.08}), Demand(40), "MOVE", "socket 80.0 ms"),
        (replace(WAITING, failed=0.2), Demand(40), "UNKNOWN", "20% of its requests fail"),
    ],
)
def test_verdicts(measured: Measured, demand: Demand, word: str, why: str) -> None:
    verdict = judge(measured, demand)
    assert verdict.word == word
    assert why in verdict.why


def sample(**given: Any) -> Sample:
    plain = Sample(
        wall=0.1, cpu=0.01, aside=0.0, queued=0.0, waits={}, burst=0.01, longest=0.0, gap=0.0, status=200, location=""
    )
    return replace(plain, **given)


def test_waiting_for_the_lock_of_the_interpreter_is_not_taken_for_waiting() -> None:
    """The naive measure would call this route nine tenths I/O."""
    solo = [sample(wall=0.010, cpu=0.010, burst=0.010)] * 40
    contended = Contended(tuple([sample(wall=0.1, cpu=0.010)] * 40), 10, elapsed=0.4, cpu=0.4)
    measured = summarize(solo, contended)
    assert (round(measured.grown), measured.busy) == (10, pytest.approx(1.0))
    assert judge(measured, Demand()).word == "KEEP"


def test_threads_of_its_own_that_compute_are_not_taken_for_waiting() -> None:
    solo = [sample(wall=0.020, cpu=0.001, aside=0.019, waits={"lock": 0.019}, burst=0.001)] * 40
    contended = Contended(tuple([sample(wall=0.080, cpu=0.001)] * 40), 8, elapsed=0.4, cpu=0.8)
    measured = summarize(solo, contended)
    assert (measured.cpu.value, measured.busy) == (pytest.approx(0.020), pytest.approx(2.0))
    assert judge(measured, Demand()).word == "KEEP"


def test_redirects_to_one_place_are_told_and_others_are_not() -> None:
    def told(*answers: tuple[int, str]) -> str:
        solo = [sample(status=status, location=location) for status, location in answers]
        return summarize(solo, Contended(tuple(solo), 4, elapsed=1.0, cpu=0.4)).redirected

    assert told((302, "/login?next=/a"), (302, "/login?next=/b")) == "302 to /login"
    assert told((302, "/items/1"), (302, "/items/2")) == ""  # it found out where to
    assert told((302, "/login"), (200, "")) == ""
    assert told((304, ""), (304, "")) == ""


def test_a_busy_machine_is_not_taken_for_waiting() -> None:
    solo = [sample(wall=0.1, cpu=0.01, queued=0.09)] * 40
    measured = summarize(solo, Contended(tuple(solo), 4, elapsed=1.0, cpu=0.4))
    assert measured.fill.value == pytest.approx(1.0)
    assert measured.waited == pytest.approx(0.0)


def test_a_lock_of_theirs_is_found_on_a_busy_machine_too() -> None:
    """Other processes had the CPU while these requests stood in the run queue; nobody held the global lock."""
    solo = [sample(wall=0.006, cpu=0.001, waits={"sleep": 0.005})] * 40
    each = sample(wall=0.040, cpu=0.001, queued=0.015, waits={"sleep": 0.005})
    measured = summarize(solo, Contended((each,) * 40, 4, elapsed=0.4, cpu=0.04, held=0.02))
    assert judge(measured, Demand(threads=8)).word == "FIX FIRST"
    held = summarize(solo, Contended((each,) * 40, 4, elapsed=0.4, cpu=0.04, held=0.9))
    assert judge(held, Demand(threads=8)).word != "FIX FIRST"


def test_a_few_requests_that_delay_each_other_among_many_are_no_queue() -> None:
    many = replace(WAITING, grown=2.3, busy=0.2, at_once=16)
    assert judge(many, Demand(40)).word == "MOVE"
    assert judge(replace(many, grown=3.2), Demand(40)).word == "FIX FIRST"  # as with 5 connections for 16


def test_figures_are_means_with_intervals() -> None:
    samples = [sample(wall=0.1 + n / 1000, waits={"socket": 0.04, "lock": 0.02}, longest=0.03) for n in range(40)]
    measured = summarize(
        [*samples, sample(status=0), sample(status=503)], Contended(tuple(samples), 4, elapsed=1.0, cpu=0.4)
    )
    assert measured.wall.low < measured.wall.value < measured.wall.high
    assert measured.failed == pytest.approx(2 / 42)
    assert measured.in_turn == pytest.approx(0.01 * 40 / 42)
    assert measured.share("socket", "lock") > 0.5
    assert measured.at_once == 4


def test_an_estimate_says_when_it_cannot_tell() -> None:
    assert Estimate(5, 4, 6).above(5) is None
    assert Estimate(5, 4, 6).above(3) is True
    assert Estimate(5, 4, 6).above(7) is False


def test_the_same_samples_give_the_same_estimate() -> None:
    samples = [sample(wall=n / 100, burst=n / 100) for n in range(1, 41)]
    assert estimate(samples, mean_wall) == estimate(samples, mean_wall)
    assert estimate(samples, mean_cpu).low == pytest.approx(0.01)
    assert longest_burst(samples) == pytest.approx(0.38)


def test_the_error_of_a_trial_is_relative_to_what_was_measured() -> None:
    trial = Trial(threads=100, loop=200, predicted=3.0)
    assert trial.measured == 2.0
    assert trial.error == pytest.approx(0.5)
