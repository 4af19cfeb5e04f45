"""The template of the route a framework chose, such as `/users/<int:id>`: what metrics and spans are named after.

Paths would make a new name for every user; frameworks leave the template in the environ or scope, each in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._request import Request


def route_of(request: Request) -> str | None:
    """Return the template, once the app has answered; None where the framework does not tell, as Django."""
    native = request.native
    for key, read in _PLACES.items():
        found = native.get(key)
        if found is not None:
            template = read(found)
            if isinstance(template, str):
                return template
    return None


_PLACES: dict[str, Callable[[Any], Any]] = {
    "werkzeug.request": lambda request: getattr(getattr(request, "url_rule", None), "rule", None),  # Flask
    "bottle.route": lambda route: getattr(route, "rule", None),
    "path_template": str,  # Litestar
    "route": lambda route: getattr(route, "path", None),  # Starlette, FastAPI
}
