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


class Choice(NamedTuple):
    """Where one request goes, and why."""

    plan: Plan
    route: Route | None
    name: str  # what it is counted under
    side: Side
    shadowed: bool


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
        self._plan: Plan | None = None
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
        if plan is not self._plan:
            self._plan = plan
            self.stats.keep(route.name for route in plan.table.routes)
        route = plan.table.find(method, path)
        share = 0.0 if self.new.down else plan.share(route)
        if route is None:
            return Choice(plan, None, DEFAULT, "new" if share else "legacy", False)
        new = share >= 100 or (share > 0 and bucket(request, route.sticky) < share)
        shadowed = bool(route.shadow) and self.shadow is not None
        return Choice(plan, route, route.name, "new" if new else "legacy", shadowed)

    def left(self, choice: Choice, *, crashed: bool, error: BaseException | None, status: int) -> None:
        """The new side leaves a request to legacy: count it, and say why if that is bad news."""
        self.stats.hand_on(choice.name, crashed=crashed)
        if crashed:
            how = f"answered {status}" if status else "failed"
            log.error("the new side %s at %s; legacy answers instead", how, choice.name, exc_info=error)

    def observe(self, choice: Choice, convention: Convention, scope: Mapping[str, Any]) -> Guarded | None:
        """Offer the request to the shadow."""
        if self.shadow is None or choice.route is None:
            return None
        legacy, new = getattr(self.legacy, convention), getattr(self.new, convention)
        apps: dict[Side, Any] = {"legacy": legacy, "new": new}
        own = {**scope, "headers": list(scope["headers"])}
        return begin(self.shadow, ShadowRequest(choice.route, choice.side, own, convention, apps))
