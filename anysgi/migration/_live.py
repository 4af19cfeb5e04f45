"""The route table as it stands now: the file, read again when it changed, under the switches.

Looked at on use, at most once per `refresh` seconds: no thread watches.  An edit that cannot be used changes nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from ..exceptions import RouteTableError
from ._switches import NONE, FileSwitches, MemorySwitches, Overrides, Switches, file_stamp
from ._table import Route, RouteTable

log = logging.getLogger("anysgi.migration")


@dataclass(frozen=True, slots=True)
class Plan:
    """A table under its switches.

    Args:
        table: the routes.
        overrides: of each source, in order.
        problems: why the file on disk is not what holds, one line each.
    """

    table: RouteTable
    overrides: tuple[Overrides, ...] = ()
    problems: tuple[str, ...] = ()
    killed: bool = False
    shares: dict[str, float] = field(default_factory=dict)

    def share(self, route: Route | None) -> float:
        """The percentage of a route's clients that the new side answers, 0 to 100; None is the default route."""
        if self.killed:
            return 0.0
        if route is None:
            return 100.0 if self.table.default == "new" else 0.0
        return self.shares[route.name]


def make_plan(table: RouteTable, overrides: Sequence[Overrides], problems: Sequence[str] = ()) -> Plan:
    """Work out every route's share."""
    shares = {route.name: route.share for route in table.routes}
    for source in overrides:
        shares |= {name: percent for name, percent in source.percents.items() if name in shares}
    shares |= {name: 0.0 for source in overrides for name in source.killed if name in shares}
    killed = table.kill or any(source.kill for source in overrides)
    return Plan(table, tuple(overrides), tuple(problems), killed, shares)


class LiveTable:
    """Keeps the plan up to date.

    Args:
        table: a table, or the file it is read from.
        switches: read-only sources.
        control: the switches that `kill()` and the dashboard write; read last.
        refresh: seconds between two looks at file and switches.

    Raises:
        RouteTableError: the file cannot be used now, at the start.
    """

    def __init__(
        self,
        table: RouteTable | Path,
        switches: Sequence[Switches],
        control: FileSwitches | MemorySwitches,
        refresh: float,
    ) -> None:
        self.file = None if isinstance(table, RouteTable) else table
        self.control = control
        self._sources: tuple[Switches, ...] = (*switches, control)
        self._refresh = refresh
        self._stamp = self.file and file_stamp(self.file)
        self._looking = threading.Lock()
        self._due = 0.0
        self._last: dict[Switches, Overrides] = {}
        self._plan = make_plan(RouteTable.load(table) if isinstance(table, Path) else table, ())

    def plan(self) -> Plan:
        """Return what holds now."""
        if monotonic() >= self._due and self._looking.acquire(blocking=False):  # others go on with what there is
            try:
                self._due = monotonic() + self._refresh
                self._look()
            finally:
                self._looking.release()
        return self._plan

    def look_now(self) -> Plan:
        """Return what holds now, without waiting for `refresh` seconds to pass."""
        with self._looking:
            self._look()
        return self._plan

    def after_fork(self) -> None:
        """A lock that another thread held in the parent would be held for ever."""
        self._looking = threading.Lock()

    def _look(self) -> None:
        plan = self._plan
        table, problems = plan.table, plan.problems
        stamp = self.file and file_stamp(self.file)
        if self.file is not None and stamp != self._stamp:
            self._stamp = stamp
            table, problems = self._reread(self.file, table)
        overrides = tuple(self._ask(source, table) for source in self._sources)
        if (table, overrides, problems) != (plan.table, plan.overrides, plan.problems):
            self._plan = make_plan(table, overrides, problems)
            if self._plan.killed != plan.killed:
                log.warning("kill switch %s", "on: everything goes to legacy" if self._plan.killed else "off")

    def _reread(self, file: Path, table: RouteTable) -> tuple[RouteTable, tuple[str, ...]]:
        try:
            table = RouteTable.load(file)
        except RouteTableError as error:
            log.error("%s was changed and cannot be used; the table read before still holds:\n%s", file, error)
            return table, tuple(error.problems)
        log.info("%s was read again: %d routes", file, len(table.routes))
        return table, ()

    def _ask(self, source: Switches, table: RouteTable) -> Overrides:
        try:
            self._last[source] = source.read(table)
        except Exception:
            log.exception("%r cannot be read; what it said before still holds", source)
        return self._last.get(source, NONE)
