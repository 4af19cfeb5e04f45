"""Finds the most specific route for a method and a path.

A path is read from left to right: where two routes part, text goes before a variable, and a narrow converter before a
wide one (the converters and their weights are Werkzeug's).  Sorted like this, the first route that fits is the one; so
the routes become one regular expression per method and first segment, with an alternative for each of them.

Nothing is folded.  A slash at the end may be there or not, since whether to redirect is the business of the side that
answers; where both spellings are routes, the request's own slash decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from werkzeug.routing import AnyConverter, BaseConverter, FloatConverter, IntegerConverter, Map, PathConverter
from werkzeug.routing import UnicodeConverter as StringConverter
from werkzeug.routing.rules import parse_converter_args

if TYPE_CHECKING:
    from ._table import Route
    from ._templates import Piece, Segment, Template


class _Float(FloatConverter):
    """Takes `7` as well: Starlette's float does."""

    regex = r"\d+(?:\.\d+)?"


class _Uuid(BaseConverter):
    regex = r"[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}"


class _Slug(BaseConverter):
    regex = r"[-A-Za-z0-9_]+"


class _Re(BaseConverter):
    def __init__(self, map: Map, pattern: str) -> None:
        super().__init__(map)
        self.regex = pattern


_CONVERTERS: dict[str, type[BaseConverter]] = {
    "any": AnyConverter,
    "int": IntegerConverter,
    "float": _Float,
    "uuid": _Uuid,
    "re": _Re,
    "slug": _Slug,
    "string": StringConverter,
    "path": PathConverter,
}
_REMEMBERED = 4096  # lookups; a path in it is at most _LONGEST characters, so that clients cannot fill the memory
_LONGEST = 256
_MAP = Map()  # converters want one


class Matcher:
    """The routes of one table, ready to be asked.

    Args:
        routes: none of them rivals of another.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        # At one path, a route that names its methods is asked before one that takes them all.
        self._routes = sorted(routes, key=lambda r: (r.template.rank, not r.methods, "HEAD" not in r.methods))
        self._methods = frozenset(method for route in routes for method in (*route.methods, "HEAD"))
        self._firsts = frozenset(first for route in routes if (first := route.template.first) is not None)
        self._choices: dict[tuple[str, str], _Choices] = {}  # bounded by the two above
        self._seen: dict[tuple[str, str], Route | None] = {}

    def find(self, method: str, path: str) -> Route | None:
        """Return the most specific route, or None.

        Args:
            method: in capitals.
            path: decoded, as `PATH_INFO` or a scope's path without its root.
        """
        try:
            return self._seen[method, path]
        except KeyError:
            return self._find(method, path)

    def _find(self, method: str, path: str) -> Route | None:
        end = path.find("/", 1)
        found = self._choices_for(method, path[1:end] if end > 0 else path[1:]).find(path)
        if len(path) <= _LONGEST:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[method, path] = found
        return found

    def _choices_for(self, method: str, first: str) -> _Choices:
        """The routes that a method (empty: one that no route names) and a first segment leave to choose from."""
        known = method if method in self._methods else ""
        text = first if first in self._firsts else _ANY
        choices = self._choices.get((known, text))
        if choices is None:
            fitting = [r for r in self._routes if r.template.first in (text, None) and _takes(r, known)]
            choices = self._choices[known, text] = _Choices(fitting)
        return choices


_ANY = "/"  # what no first segment is


def _takes(route: Route, method: str) -> bool:
    return not route.methods or method in route.methods or (method == "HEAD" and "GET" in route.methods)


class _Choices:
    """Routes, most specific first, as one regular expression."""

    __slots__ = ("_match", "_routes")

    def __init__(self, routes: Sequence[Route]) -> None:
        written = {tuple(route.template.shape) for route in routes}
        alternatives = [f"({_pattern(route.template, written)})" for route in routes]
        self._match = re.compile("|".join(alternatives)).fullmatch if routes else _no_match
        self._routes: dict[int | None, Route] = {}
        group = 1
        for route, alternative in zip(routes, alternatives, strict=True):
            self._routes[group] = route
            group += re.compile(alternative).groups

    def find(self, path: str) -> Route | None:
        found = self._match(path)
        return self._routes[found.lastindex] if found is not None else None


def _no_match(path: str) -> None:
    return None


def _pattern(template: Template, written: set[tuple[Segment, ...]]) -> str:
    """The template as a regular expression; exact about the slash at the end if the other spelling is a route too."""
    shape = template.shape
    slash = shape[-1:] == [()]
    bare = shape[:-1] if slash else shape
    exact = tuple(bare) in written and (*bare, ()) in written
    segments = template.segments[:-1] if slash else template.segments
    text = "".join("/" + "".join(map(_piece, segment)) for segment in segments)
    return text + (("/" if slash else "") if exact else "/?")


def _piece(piece: Piece) -> str:
    if isinstance(piece, str):
        return re.escape(piece)
    args, options = parse_converter_args(piece.arguments)
    return f"(?:{_CONVERTERS[piece.converter](_MAP, *args, **options).regex})"
