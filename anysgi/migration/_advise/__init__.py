"""Would ASGI help this route?  An honest answer, from running it.

`_requests` groups what to send by route, `_waits` and `_measure` time one request, `_experiment` runs a route alone and
against itself, `_figures` reduces both runs, `_verdict` decides, and `_trial` checks the decision by running both.
`_on_a_loop` asks of an app that is on ASGI already what holds up its event loop.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._experiment import against_itself, alone
from ._figures import Measured, summarize
from ._on_a_loop import LoopAdvice, advise_on_a_loop
from ._requests import by_route, scope_of
from ._statistics import Estimate
from ._trial import Trial, try_both
from ._verdict import Demand, Verdict, judge
from ._waits import watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._compare._exchanges import Asked

__all__ = [
    "Advice",
    "Demand",
    "Effort",
    "Estimate",
    "LoopAdvice",
    "advise",
    "advise_on_a_loop",
    "by_route",
    "scope_of",
    "watched",
]


_RUNS = 4  # alone, against itself, and the two of a trial
_PATIENCE = 10.0  # seconds more, for the requests that are under way when the time is over


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure.

    Attributes:
        samples: requests alone, and again against each other.
        seconds: the longest each of the two runs may take.
        at_once: requests under way in the contended run; at least four are.
        trial: whether to run the route on threads and on a loop as well.
    """

    samples: int = 60
    seconds: float = 10.0
    at_once: int = 8
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """A route's verdict, and everything it stands on."""

    route: str
    verdict: Verdict
    measured: Measured
    trial: Trial | None = None


def advise(route: str, app: Any, requests: Sequence[Asked], demand: Demand, effort: Effort) -> Advice | None:
    """Measure one route of a WSGI app and decide.  To be called inside `watched()`.

    It is measured on a thread of its own, since a request that never ends cannot be stopped.

    Args:
        route: its name in the report.
        app: the WSGI app.
        requests: of this route, taken in turn.
        demand: what the server is asked for.
        effort: how much to measure.

    Returns:
        The advice; None if a request did not end.
    """
    found: list[Advice] = []

    def work() -> None:
        found.append(_advise(route, app, requests, demand, effort))

    thread = threading.Thread(target=work, name="anysgi-advise", daemon=True)
    thread.start()
    thread.join(_RUNS * effort.seconds + _PATIENCE)
    return found[0] if found else None


def _advise(route: str, app: Any, requests: Sequence[Asked], demand: Demand, effort: Effort) -> Advice:
    solo = alone(app, requests, effort.samples, effort.seconds)
    contended = against_itself(app, requests, effort.at_once, effort.samples, effort.seconds)
    measured = summarize(solo, contended)
    verdict = judge(measured, demand)
    # What waits for each other, fails, or is not known has no prediction that a trial could check.
    predictable = effort.trial and verdict.word in ("MOVE", "KEEP", "STAY") and measured.gap < 1
    return Advice(route, verdict, measured, try_both(app, requests, measured, effort.seconds) if predictable else None)
