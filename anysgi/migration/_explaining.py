"""Says in words which route takes a request, and why no other one does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ._matching import Matcher

if TYPE_CHECKING:
    from ._table import Route, RouteTable


def explain(table: RouteTable, method: str, path: str) -> Iterator[str]:
    """Yield the reasons, the decision first."""
    chosen = table.find(method, path)
    if table.kill:
        yield f"{method} {path} goes to legacy: kill = true in {table.file or 'the table'} sends everything there"
    elif chosen is None:
        yield f"{method} {path} goes to {table.default}: no route takes it, and that is the default"
    else:
        yield f"{method} {path} goes to {_destination(chosen)}: {chosen.where} takes it, {chosen}"
    for route in table.routes:
        if route is not chosen and (reason := _passed_over(route, chosen, method, path)):
            yield f"  {route.where}, {route}, {reason}"


def _destination(route: Route) -> str:
    if route.share in (0.0, 100.0):
        return "new" if route.share else "legacy"
    split = f"chosen by {route.sticky}" if route.sticky else "chosen by lot for each request"
    return f"new for {route.share:g} % of its clients ({split}), else to legacy"


def _passed_over(route: Route, chosen: Route | None, method: str, path: str) -> str:
    if Matcher([route]).find(method, path) is not None:
        other = f"{chosen} is more specific" if chosen else "but"
        return f"fits too; {other}"
    sample = route.methods[0] if route.methods else method
    if Matcher([route]).find(sample, path) is not None:
        return f"fits the path, for other methods than {method}"
    return ""
