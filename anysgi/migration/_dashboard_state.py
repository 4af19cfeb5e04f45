"""What the dashboard shows, as plain values for JSON: routes, shares, both sides' figures, what is wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ._stats import DEFAULT, Tally

if TYPE_CHECKING:
    from ._core import Core
    from ._live import Plan
    from ._table import Route


def dashboard_state(core: Core, since: float) -> dict[str, Any]:
    """Everything at a glance.

    Args:
        core: the router.
        since: when this process began to count (seconds since the epoch).
    """
    plan = core.live.plan()
    rows = [_row(core, plan, route) for route in plan.table.routes]
    rest = _figures(core, DEFAULT)
    return {
        "process": os.getpid(),
        "since": since,
        "file": str(core.live.file or ""),
        "switches": repr(core.live.control),
        "killed": plan.killed,
        "down": core.new.down,
        "problems": list(plan.problems),
        "progress": _progress(plan, [*rows, rest]),
        "routes": rows,
        "rest": {**rest, "to": plan.table.default},
        "differences": _differences(core),
    }


def _progress(plan: Plan, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How far the migration is, by the table (whatever the kill switch says) and by the requests that were served."""
    shares = list(plan.shares.values())
    new, legacy = (sum(row[side]["requests"] for row in rows) for side in ("new", "legacy"))
    return {
        "percent": sum(shares) / len(shares) if shares else 0.0,
        "moved": sum(share == 100 for share in shares),
        "moving": sum(0 < share < 100 for share in shares),
        "total": len(shares),
        "new": new,
        "legacy": legacy,
        "served": 100 * new / (new + legacy) if new + legacy else None,
    }


def _row(core: Core, plan: Plan, route: Route) -> dict[str, Any]:
    return {
        "name": route.name,
        "methods": list(route.methods),
        "path": route.path,
        "where": route.where,
        "owner": route.owner,
        "since": route.since,
        "sticky": str(route.sticky or ""),
        "shadow": route.shadow,
        "share": plan.shares[route.name],
        "written": route.share,
        **_figures(core, route.name),
    }


def _figures(core: Core, name: str) -> dict[str, Any]:
    return {side: _side(core.stats.tally(name, side)) for side in ("legacy", "new")}


def _side(tally: Tally) -> dict[str, Any]:
    return {
        "requests": tally.requests,
        "errors": tally.errors,
        "handedOn": tally.handed_on,
        "rescued": tally.rescued,
        "median": _milliseconds(tally.quantile(0.5)),
        "p95": _milliseconds(tally.quantile(0.95)),
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else min(round(seconds * 1000, 1), 999_999.0)


def _differences(core: Core) -> list[dict[str, Any]]:
    if core.shadow is None:
        return []
    return [
        {"at": found.at, "route": found.route, "request": found.request, "what": found.what}
        for found in list(core.shadow.latest())[:50]
    ]
