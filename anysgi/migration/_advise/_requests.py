"""The requests to measure with, grouped by the route that answers them; read by `_compare`, so a HAR file will do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from .._compare._targets import scenario_of
from .._route_names import matcher_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...types import Scope
    from .._compare._exchanges import Asked
    from .._inventory import Inventory


def scope_of(request: Asked) -> Scope:
    """Return a request as an ASGI `http` scope.

    Raises:
        ScenarioError: no client could send it.
    """
    scenario = scenario_of(request)
    path, _, query = request.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": list(scenario.sent_headers),
        "client": scenario.client,
        "server": scenario.server,
    }


def by_route(requests: Iterable[Asked], inventory: Inventory) -> dict[str, list[Asked]]:
    """Group requests by the route that answers them.

    Args:
        requests: in any order.
        inventory: the app's routes; a request that none of them fits is a group of its own path.

    Returns:
        `METHOD template` and its requests, in the order in which they first appear.
    """
    matcher = matcher_of(inventory)
    groups: dict[str, list[Asked]] = {}
    for request in requests:
        path = unquote(request.path)
        route = matcher.find(request.method, path)
        groups.setdefault(f"{request.method} {route.path if route else path}", []).append(request)
    return groups
