"""Finds the most specific route for a method and a path, with Werkzeug's routing.

Paths are compared as they come: nothing is folded, and a slash at the end may be there or not, since whether to
redirect is the business of the side that answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.routing import AnyConverter, BaseConverter, FloatConverter, Map, Rule, UnicodeConverter
from werkzeug.routing import IntegerConverter as Integer
from werkzeug.routing import PathConverter as PathRest

from ._templates import CONVERTERS

if TYPE_CHECKING:
    from ._table import Route

_REMEMBERED = 4096  # lookups; a path in it is at most _LONGEST characters, so that clients cannot fill the memory
_LONGEST = 256


class _Any(AnyConverter):
    weight = CONVERTERS["any"]


class _Float(FloatConverter):
    """Takes `7` as well: Starlette's float does."""

    regex = r"\d+(?:\.\d+)?"
    weight = CONVERTERS["float"]


class _Uuid(BaseConverter):
    regex = r"[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}"
    weight = CONVERTERS["uuid"]


class _Re(BaseConverter):
    weight = CONVERTERS["re"]

    def __init__(self, map: Map, pattern: str) -> None:
        super().__init__(map)
        self.regex = f"(?:{pattern})"


class _Slug(BaseConverter):
    regex = r"[-A-Za-z0-9_]+"
    weight = CONVERTERS["slug"]


_CONVERTERS: dict[str, type[BaseConverter]] = {
    "any": _Any,
    "int": Integer,
    "float": _Float,
    "uuid": _Uuid,
    "re": _Re,
    "slug": _Slug,
    "string": UnicodeConverter,
    "path": PathRest,
}


class Matcher:
    """The routes of one table, ready to be asked.

    Args:
        routes: none of them rivals of another.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        # At one path, a route that names its methods is asked before one that takes them all.
        ordered = sorted(routes, key=lambda route: (not route.methods, "HEAD" not in route.methods))
        rules = [Rule(route.template.rule, methods=route.methods or None, endpoint=route) for route in ordered]
        self._routes = Map(rules, converters=_CONVERTERS, strict_slashes=False, merge_slashes=False).bind("router")
        self._remembered: Callable[[str, str], Route | None] = lru_cache(_REMEMBERED)(self._find)

    def find(self, method: str, path: str) -> Route | None:
        """Return the most specific route, or None.

        Args:
            method: in capitals.
            path: decoded, as `PATH_INFO` or a scope's path without its root.
        """
        return self._remembered(method, path) if len(path) <= _LONGEST else self._find(method, path)

    def _find(self, method: str, path: str) -> Route | None:
        if path[:1] != "/" or path[:2] == "//":  # Werkzeug would fold these slashes
            return None
        try:
            route: Route = self._routes.match(path, method)[0]
        except HTTPException:
            return None
        return route
