"""What came of a comparison, in bounded memory: counts of everything, and the first examples of each kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...middleware._capture import REDACTED

if TYPE_CHECKING:
    from collections.abc import Collection

    from ._finding import Finding
    from ._running import Compared

_REASONS = 100  # told apart of those for which requests were not compared
_EXAMPLES = 5  # kept of each route and kind of difference
_SECONDS = 10_000  # durations kept of a route, for its quantiles


@dataclass(slots=True)
class RouteSummary:
    """One route's requests.

    Attributes:
        same, different, skipped: how many.
        kinds: how often each kind of difference was found.
        examples: some of the requests that differ.
        old_seconds, new_seconds: how long each side took.
    """

    same: int = 0
    different: int = 0
    skipped: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[Compared] = field(default_factory=list)
    old_seconds: list[float] = field(default_factory=list)
    new_seconds: list[float] = field(default_factory=list)


class Summary:
    """Of a whole comparison, route by route.

    Args:
        given: names of headers that both sides were given instead of the recorded ones.

    Attributes:
        routes: by name, in the order they were first asked for.
        skipped: why requests were not compared, and how many.
        redacted: headers whose values the recording left out, and how many compared requests went without.
    """

    __slots__ = ("_given", "_headers", "_kept", "redacted", "routes", "skipped")

    def __init__(self, given: Collection[str] = ()) -> None:
        self._given = frozenset(given)
        self.routes: dict[str, RouteSummary] = {}
        self.skipped: Counter[str] = Counter()
        self.redacted: Counter[str] = Counter()
        self._headers: set[Finding] | None = None  # those that differed alike in every answer so far
        self._kept: Counter[tuple[str, frozenset[tuple[str, str]]]] = Counter()

    def add(self, compared: Compared) -> None:
        """Count one request."""
        route = self.routes.setdefault(compared.route, RouteSummary())
        if compared.skipped:
            route.skipped += 1
            known = compared.skipped in self.skipped or len(self.skipped) < _REASONS
            self.skipped[compared.skipped if known else "other reasons"] += 1
            return
        self.redacted.update({name for name, value in compared.request.headers if value == REDACTED} - self._given)
        for answer, seconds in ((compared.old, route.old_seconds), (compared.new, route.new_seconds)):
            if answer is not None and len(seconds) < _SECONDS:
                seconds.append(answer.seconds)
        if compared.differs:
            route.different += 1
        else:
            route.same += 1
        route.kinds.update({finding.kind for finding in compared.findings if not finding.informative})
        headers = {finding for finding in compared.findings if finding.kind == "header"}
        self._headers = headers if self._headers is None else self._headers & headers
        if compared.findings:
            self._keep(route, compared)

    def _keep(self, route: RouteSummary, compared: Compared) -> None:
        """Keep a few requests that differ in the same places, and all that differ in others, up to a bound."""
        signature = (compared.route, frozenset((finding.kind, finding.place) for finding in compared.findings))
        self._kept[signature] += 1
        if self._kept[signature] <= 2 and len(route.examples) < _EXAMPLES * 4:
            route.examples.append(compared)

    @property
    def in_every_answer(self) -> list[Finding]:
        """Headers that differ alike in all of several answers: a layer around the app, rather than a route."""
        return sorted(self._headers or (), key=lambda finding: finding.place) if self.same + self.different > 1 else []

    @property
    def same(self) -> int:
        return sum(route.same for route in self.routes.values())

    @property
    def different(self) -> int:
        return sum(route.different for route in self.routes.values())

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON types."""
        return {
            "same": self.same,
            "different": self.different,
            "skipped": dict(self.skipped),
            "redacted": dict(self.redacted),
            "routes": {name: _route_json(route) for name, route in self.routes.items()},
        }


def _route_json(route: RouteSummary) -> dict[str, Any]:
    return {
        "same": route.same,
        "different": route.different,
        "skipped": route.skipped,
        "kinds": dict(route.kinds),
        "examples": [
            {
                "request": f"{one.request.method} {one.request.target}",
                "at": one.request.at,
                "findings": [finding_json(finding) for finding in one.findings],
            }
            for one in route.examples
        ],
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """One difference as JSON types."""
    return {
        "kind": finding.kind,
        "place": finding.place,
        "old": finding.old,
        "new": finding.new,
        "informative": finding.informative,
    }


def quantile(seconds: list[float], share: float) -> float:
    """The duration that `share` of all stay below; 0 if there are none."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] if seconds else 0.0
