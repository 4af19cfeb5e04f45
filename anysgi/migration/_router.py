"""`Router`: two apps on the same URLs, and a table that says which of them answers what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from asgiref.sync import markcoroutinefunction

from ..adapters._options import check_positive
from ..middleware._names import several
from ._asgi_router import AsgiRouter
from ._core import Core
from ._dashboard import Dashboard
from ._lifespans import Lifespans
from ._live import LiveTable
from ._sides import SideApp
from ._stats import Stats
from ._switches import EnvironmentSwitches, FileSwitches, MemorySwitches, Switches, with_kill, with_percent
from ._table import RouteTable
from ._wsgi_router import WsgiRouter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ._shadow import Shadow
    from ._switches import Overrides
    from ._table import Side


class Router:
    """Serve two apps as one, and move from the legacy one to the new one a route at a time.

    The router is a WSGI app and an ASGI app, so that a team can start before it changes its server:

        asgi_app = router.asgi       # uvicorn module:asgi_app
        application = router.wsgi    # gunicorn module:application

    The router itself may be called either way as well, where the server asks or does not care (uvicorn, daphne;
    gunicorn, waitress, mod_wsgi).  Each side may be a WSGI or an ASGI app.

    Legacy answers in place of the new side when that says 404 or 405 (`fallthrough` in the table), for any method;
    and when it crashes, answers 500 or hangs (`head_timeout`), for the methods in `rescue`; always provided that no
    byte of the request's body was read and none of the response sent.

    WebSockets go to the new side.  Lifespan runs for both; a new side that does not start is taken out.

    Args:
        legacy: the app there is.
        new: the app to be.
        table: a `RouteTable`, or the path of a `routes.toml`, which is read again when it changes.
        switches: sources of a kill switch and percentages, such as `FlagSwitches()`; the environment by default.
        switches_file: JSON that `kill()`, `set_percent()` and the dashboard write, and all processes of a host read;
            `routes.switches.json` beside a table that is a file, else these switches are this process' own.
        refresh: seconds between two looks at table and switches.
        rescue: methods for which legacy answers after the new side crashed; `()` for none.
        head_timeout: seconds the new side may take to its response head; None: no limit.  A WSGI app on a WSGI server
            cannot be interrupted.
        shadow: is shown the requests of routes with `shadow`.
        dashboard: path of the router's own page, such as `"/_migration"`; None: there is none.
        dashboard_token: opens that page; at least 16 characters.
        startup_timeout: seconds for each side's lifespan startup.
        shutdown_timeout: seconds for each side's lifespan shutdown.

    Raises:
        ConventionError: a side is no app.
        RouteTableError: the table cannot be used.
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        legacy: Any,
        new: Any,
        *,
        table: RouteTable | str | Path,
        switches: Sequence[Switches] | None = None,
        switches_file: str | Path | None = None,
        refresh: float = 1.0,
        rescue: Iterable[str] = ("GET", "HEAD", "OPTIONS"),
        head_timeout: float | None = None,
        shadow: Shadow | None = None,
        dashboard: str | None = None,
        dashboard_token: str = "",
        startup_timeout: float = 30.0,
        shutdown_timeout: float = 30.0,
    ) -> None:
        check_positive(head_timeout=head_timeout, startup_timeout=startup_timeout, shutdown_timeout=shutdown_timeout)
        source = table if isinstance(table, RouteTable) else Path(table)
        if switches_file is None and isinstance(source, Path):
            switches_file = source.with_suffix(".switches.json")
        control = FileSwitches(switches_file) if switches_file is not None else MemorySwitches()
        sides = SideApp("legacy", legacy), SideApp("new", new, head_timeout)
        live = LiveTable(source, (EnvironmentSwitches(),) if switches is None else switches, control, refresh)
        lifespans = Lifespans(sides, startup_timeout, shutdown_timeout)
        self._core = Core(*sides, live, lifespans, frozenset(several(rescue)), shadow)
        if dashboard is not None:
            self._core.dashboard = Dashboard(self._core, dashboard, dashboard_token, self._command)
        self.asgi = AsgiRouter(self._core)
        self.wsgi = WsgiRouter(self._core)

    def __call__(self, *call: Any, **named: Any) -> Any:
        """Serve one request, in the convention it is called in: two arguments are WSGI, three or named ones are ASGI.

        Daphne names them.
        """
        return self.asgi(*call, **named) if named or len(call) == 3 else self.wsgi(*call)

    @property
    def table(self) -> RouteTable:
        """The table that holds now."""
        return self._core.live.plan().table

    @property
    def apps(self) -> dict[Side, Any]:
        """The apps by side, as they were given."""
        return {side.name: side.app for side in (self._core.legacy, self._core.new)}

    @property
    def stats(self) -> Stats:
        """What was counted in this process."""
        return self._core.stats

    def explain(self, method: str, path: str) -> str:
        """Say which side answers a request now, and why; one line a reason.

        Args:
            method: in capitals.
            path: decoded, below the app's root.
        """
        plan = self._core.live.look_now()
        text = plan.table.explain(method, path)
        route = plan.table.find(method, path)
        share = plan.share(route)
        if plan.killed:
            return f"the kill switch is on: everything goes to legacy; without it,\n{text}"
        if route is not None and share != route.share:
            return f"a switch sets the new side's share to {share:g} %; by the table alone,\n{text}"
        return text

    def kill(self) -> None:
        """Send everything to legacy, from the next request on; other processes follow within `refresh` seconds.

        Raises:
            OSError: the switches file cannot be written.
        """
        self._switch(lambda overrides: with_kill(overrides, True))

    def restore(self) -> None:
        """Undo `kill()`."""
        self._switch(lambda overrides: with_kill(overrides, False))

    def set_percent(self, name: str, percent: float | None) -> None:
        """Change a route's share of the new side.

        Args:
            name: the route's name.
            percent: 0 to 100; None for what the table says.

        Raises:
            KeyError: there is no such route.
            ValueError: it is no percentage.
        """
        if not any(route.name == name for route in self.table.routes):
            raise KeyError(f"no route is named {name!r}")
        self._switch(lambda overrides: with_percent(overrides, name, percent))

    def _command(self, command: dict[str, Any]) -> None:
        """Do what a button of the dashboard says."""
        if "route" in command:
            self.set_percent(command["route"], command["percent"])
        elif command["kill"] is True:
            self.kill()
        elif command["kill"] is False:
            self.restore()
        else:
            raise ValueError(f'"kill" is true or false, not {command["kill"]!r}')

    def _switch(self, edit: Callable[[Overrides], Overrides]) -> None:
        self._core.live.control.change(edit, self.table)
        self._core.live.look_now()

    def close(self) -> None:
        """End the threads and loops that the router made around its sides; blocks."""
        for side in (self._core.legacy, self._core.new):
            side.close()
        if self._core.dashboard is not None:
            self._core.dashboard.wsgi.close()

    def __repr__(self) -> str:
        return f"Router({self._core.legacy!r}, {self._core.new!r})"


# Servers that ask whether `__call__` is a coroutine function take the router for the ASGI app it is.
markcoroutinefunction(Router.__call__)
