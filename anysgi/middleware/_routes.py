"""The template of the route a framework chose, such as `/users/<int:id>`: what metrics and spans are named after.

Paths would make a new name for every user.  Bottle, FastAPI, Litestar and Starlette leave the template in the environ
or scope, each in its place; an app of another framework, or an app that names its routes itself, leaves it under
`ROUTE_KEY`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._engine._request import Request


ROUTE_KEY = "anysgi.route"
"""Where an app may leave it: `request.environ[ROUTE_KEY] = request.url_rule.rule` in Flask's before_request."""


METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
"""Those that are told by name: whoever makes up others shall not make new names without end."""


def route_of(request: Request) -> str | None:
    """Return the template, once the app has answered; None if nobody left it anywhere."""
    native = request.native
    for key, read in _PLACES.items():
        found = native.get(key)
        if found is not None:
            template = read(found)
            if isinstance(template, str):
                return template
    return None


_PLACES: dict[str, Callable[[Any], Any]] = {
    ROUTE_KEY: str,
    "bottle.route": lambda route: getattr(route, "rule", None),
    "path_template": str,  # Litestar
    "route": lambda route: getattr(route, "path", None),  # Starlette, FastAPI
}
