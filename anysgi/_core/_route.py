"""The template of the route a framework chose, such as `/users/<int:id>`: what metrics and spans are named after.

Paths would make a new name for every user.  Bottle, FastAPI, Litestar and Starlette leave the template in the environ
or scope, each in its place; an app of another framework, or an app that names its routes itself, leaves it under
`ROUTE_KEY`, and an adapter that of the app inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping


ROUTE_KEY = "anysgi.route"
"""Where an app may leave it: `request.environ[ROUTE_KEY] = request.url_rule.rule` in Flask's before_request."""


def template_in(native: Mapping[str, Any]) -> str | None:
    """Return the template in an environ or scope, once the app has answered; None if nobody left it anywhere."""
    for key, read in _PLACES.items():
        found = native.get(key)
        if found is not None:
            template = read(found)
            if isinstance(template, str):
                return template
    return None


def hand_on(inner: Mapping[str, Any], outer: MutableMapping[str, Any]) -> None:
    """Leave the template of the app inside an adapter where layers outside look; what was said there before holds."""
    if (
        ROUTE_KEY in inner or "route" in inner or "path_template" in inner or "bottle.route" in inner
    ):  # seldom: be quick
        template = template_in(inner)
        if template is not None:
            outer.setdefault(ROUTE_KEY, template)


_PLACES: dict[str, Callable[[Any], Any]] = {
    ROUTE_KEY: str,
    "bottle.route": lambda route: getattr(route, "rule", None),
    "path_template": str,  # Litestar
    "route": lambda route: getattr(route, "path", None),  # Starlette, FastAPI
}
