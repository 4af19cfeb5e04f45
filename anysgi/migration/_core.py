"""What both conventions share: which side answers a request, what is counted, who looks on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from .._bridge import _forks
from ._shadow import Guarded, Shadow, ShadowRequest, begin
from ._stats import Stats
from ._ways import Ways

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .. import AsgiToWsgi
    from ..types import Convention
    from ._lifespans import Lifespans
    from ._live import LiveTable, Plan
    from ._sides import SideApp
    from ._table import Side, Sticky
    from ._ways import Choice

log = logging.getLogger("anysgi.migration")


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
        self._ways: Ways | None = None
        self._apps: dict[Convention, Mapping[Side, Any]] = {}  # for the shadow
        _forks.register(self)

    def after_fork(self) -> None:
        """This is the child: it counts anew."""
        self.live.after_fork()
        self.stats.after_fork()
        self._ways = None  # they have the parent's tallies

    def choose(self, method: str, path: str, request: Any, bucket: Callable[[Any, Sticky | None], float]) -> Choice:
        """Choose a side.

        Args:
            method: in capitals.
            path: decoded, below the app's root.
            request: scope or environ.
            bucket: finds the client's place in it.
        """
        plan, ways = self.live.plan(), self._ways
        if ways is None or ways.plan is not plan:
            ways = self._take_up(plan)
        way = ways.find(method, path)
        if not way.share or self.new.down:
            return way.legacy
        return way.new if way.share >= 100 or bucket(request, way.sticky) < way.share else way.legacy

    def _take_up(self, plan: Plan) -> Ways:
        self.stats.keep(route.name for route in plan.table.routes)
        ways = self._ways = Ways(plan, self.stats, self.shadow is not None)
        return ways

    def left(self, choice: Choice, *, crashed: bool, error: BaseException | None, status: int) -> None:
        """The new side leaves a request to legacy: count it, and say why if that is bad news."""
        self.stats.hand_on(choice.tally, crashed=crashed)
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
