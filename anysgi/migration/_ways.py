"""Where requests may go under one plan: made once for each route, and shared by all its requests.

A plan holds until a table or a switch changes, so that nearly all requests take a way that is there already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._stats import DEFAULT

if TYPE_CHECKING:
    from ._live import Plan
    from ._stats import Stats, Tally
    from ._table import Route, Side, Sticky

_REMEMBERED = 4096  # requests; method and path have at most _LONGEST characters, so that clients cannot fill the memory
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a request goes, and why.

    Args:
        side: who is asked.
        route: why; None if no route takes it.
        name: what it is counted under.
        tally: where it is counted.
        shadowed: whether the shadow may look on.
        fallthrough: statuses of the new side that hand the request on.
        instead: the choice if the new side leaves it to legacy; legacy itself has none.
    """

    side: Side
    route: Route | None
    name: str
    tally: Tally
    shadowed: bool
    fallthrough: frozenset[int] = frozenset()
    instead: Choice | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """The two choices for the requests of one route.

    Args:
        share: the percentage of its clients that takes `new`.
        sticky: what tells the clients apart.
        legacy, new: the choices.
    """

    share: float
    sticky: Sticky | None
    legacy: Choice
    new: Choice


class Ways:
    """The ways of all requests under one plan.

    Args:
        plan: the table under its switches.
        stats: has the tallies.
        shadowing: whether there is a shadow that may look on.
    """

    def __init__(self, plan: Plan, stats: Stats, shadowing: bool) -> None:
        self.plan = plan
        self._stats = stats
        self._shadowing = shadowing
        self._find = plan.table._matcher.find
        self._by_name: dict[str | None, Way] = {}
        self._seen: dict[tuple[str, str], Way] = {}

    def find(self, method: str, path: str) -> Way:
        """Return the way of a request.

        Args:
            method: in capitals.
            path: decoded, below the app's root.
        """
        request = method, path
        way = self._seen.get(request)
        if way is None:
            route = self._find(method, path)
            way = self._by_name.get(None if route is None else route.name) or self._make(route)
            if len(method) + len(path) <= _LONGEST:
                if len(self._seen) >= _REMEMBERED:
                    self._seen.clear()
                self._seen[request] = way
        return way

    def _make(self, route: Route | None) -> Way:
        name = DEFAULT if route is None else route.name
        shadowed = self._shadowing and route is not None and bool(route.shadow)
        legacy_tally, new_tally = (self._stats.running(name, side) for side in ("legacy", "new"))
        legacy = Choice("legacy", route, name, legacy_tally, shadowed)
        new = Choice("new", route, name, new_tally, shadowed, self.plan.table.fallthrough, legacy)
        way = Way(self.plan.share(route), None if route is None else route.sticky, legacy, new)
        self._by_name[None if route is None else route.name] = way
        return way
