"""What both conventions share: which side answers a request, what is counted, who looks on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .._bridge import _forks
from ._shadow import Guarded, Shadow, ShadowRequest, begin
from ._stats import DEFAULT, Stats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .. import AsgiToWsgi
    from ..types import Convention
    from ._lifespans import Lifespans
    from ._live import LiveTable, Plan
    from ._sides import SideApp
    from ._table import Route, Side, Sticky

log = logging.getLogger("anysgi.migration")

_SIDES: tuple[Side, Side] = ("legacy", "new")


class Choice(NamedTuple):
    """Where a request goes, and why; made once for each route and side, and shared by all its requests."""

    plan: Plan
    route: Route | None
    name: str  # what it is counted under
    side: Side
    shadowed: bool


class Way(NamedTuple):
    """The choices there are for one route under one plan."""

    share: float  # the percentage that takes `new`
    sticky: Sticky | None
    legacy: Choice
    new: Choice


class Ways(NamedTuple):
    """The ways of all routes under one plan, by name; None stands for what no route takes."""

    plan: Plan | None
    by_name: dict[str | None, Way]


class Page(Protocol):
    """The router's own page."""

    wsgi: AsgiToWsgi

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one of its requests."""

    def owns(self, path: str) -> bool:
        """Whether a path belongs to it, and to neither side."""


class Core:
    """The heart of a router.

    Args:
        legacy, new: the two sides.
        live: the table as it stands.
        lifespans: of both sides.
        rescue: methods for which legacy may answer after the new side crashed.
        shadow: is shown the requests of routes that ask for it.
    """

    def __init__(
        self,
        legacy: SideApp,
        new: SideApp,
        live: LiveTable,
        lifespans: Lifespans,
        rescue: frozenset[str],
        shadow: Shadow | None,
    ) -> None:
        self.legacy = legacy
        self.new = new
        self.live = live
        self.lifespans = lifespans
        self.stats = Stats()
        self.shadow = shadow
        self.dashboard: Page | None = None
        self.rescue = rescue
        self._ways = Ways(None, {})
        self._apps: dict[Convention, Mapping[Side, Any]] = {}  # for the shadow
        _forks.register(self)

    def after_fork(self) -> None:
        """This is the child: it counts anew."""
        self.live.after_fork()
        self.stats.after_fork()

    def choose(self, method: str, path: str, request: Any, bucket: Callable[[Any, Sticky | None], float]) -> Choice:
        """Choose a side.

        Args:
            method: in capitals.
            path: decoded, below the app's root.
            request: scope or environ.
            bucket: finds the client's place in it.
        """
        plan = self.live.plan()
        ways = self._ways
        if ways.plan is not plan:
            ways = self._ways = self._take_up(plan)
        route = plan.table.find(method, path)
        share, sticky, legacy, new = ways.by_name[None if route is None else route.name]
        if not share or self.new.down:
            return legacy
        return new if share >= 100 or bucket(request, sticky) < share else legacy

    def _take_up(self, plan: Plan) -> Ways:
        routes = plan.table.routes
        self.stats.keep(route.name for route in routes)
        by_name: dict[str | None, Way] = {route.name: self._way(plan, route) for route in routes}
        by_name[None] = self._way(plan, None)
        return Ways(plan, by_name)

    def _way(self, plan: Plan, route: Route | None) -> Way:
        name = DEFAULT if route is None else route.name
        shadowed = route is not None and bool(route.shadow) and self.shadow is not None
        legacy, new = (Choice(plan, route, name, side, shadowed) for side in _SIDES)
        return Way(plan.share(route), None if route is None else route.sticky, legacy, new)

    def left(self, choice: Choice, *, crashed: bool, error: BaseException | None, status: int) -> None:
        """The new side leaves a request to legacy: count it, and say why if that is bad news."""
        self.stats.hand_on(choice.name, crashed=crashed)
        if crashed:
            how = f"answered {status}" if status else "failed"
            log.error("the new side %s at %s; legacy answers instead", how, choice.name, exc_info=error)

    def observe(
        self, choice: Choice, method: str, convention: Convention, make_scope: Callable[[], Mapping[str, Any]]
    ) -> Guarded | None:
        """Offer the request to the shadow, which is shown a scope if it asks for one."""
        if self.shadow is None or choice.route is None:
            return None
        apps = self._apps.get(convention) or self._both(convention)
        return begin(self.shadow, ShadowRequest(choice.route, choice.side, method, convention, apps, make_scope))

    def _both(self, convention: Convention) -> Mapping[Side, Any]:
        apps: dict[Side, Any] = {"legacy": getattr(self.legacy, convention), "new": getattr(self.new, convention)}
        self._apps[convention] = apps
        return apps
