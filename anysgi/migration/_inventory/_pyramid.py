"""Pyramid: the routes in order, each with the views registered for it.  Traversal has no routes to list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._paths import converter_of, write_variable
from ._route import ANY, Parameter, Route, Slash

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}|\*(\w+)$")


def read(app: Any) -> Iterator[Route | str]:
    """Yield the routes of a Pyramid router; a route without a view is listed without a handler."""
    introspector = app.registry.introspector
    views = [item["introspectable"] for item in introspector.get_category("views") or ()]
    slash: Slash = "302" if any("AppendSlash" in type(view["callable"]).__name__ for view in views) else "404"
    for item in introspector.get_category("routes") or ():
        route = item["introspectable"]
        path, parameters = _template(route["pattern"])
        here = [view for view in views if view["route_name"] == route["name"]]
        routes = (_route(path, parameters, slash, route, view) for view in here or [None])
        # Views that differ in other predicates, such as the content type, are one route here.
        yield from {(found.methods, *map(id, found.runs)): found for found in routes}.values()
    by_traversal = sum(view["route_name"] is None and bool(view["name"]) for view in views)
    if by_traversal:
        yield f"{by_traversal} views are found by traversal, which depends on the resource tree at run time"


def _route(path: str, parameters: tuple[Parameter, ...], slash: Slash, route: Any, view: Any) -> Route:
    methods = _methods(view and view["request_methods"]) or _methods(route["request_methods"]) or set(ANY)
    automatic = {"HEAD"} if "GET" in methods else set()
    return Route(
        methods=tuple(sorted(methods - automatic)),
        path=path,
        automatic=tuple(sorted(automatic)),
        parameters=parameters,
        slash=slash if path.endswith("/") else "404",
        runs=() if view is None else (_callable(view),),
    )


def _callable(view: Any) -> object:
    """The method of a class-based view that answers, or the view itself."""
    function = view["callable"]
    return getattr(function, view["attr"], function) if view["attr"] else function


def _methods(named: Any) -> set[str]:
    return {named} if isinstance(named, str) else set(named or ())


def _template(pattern: str) -> tuple[str, tuple[Parameter, ...]]:
    parameters: list[Parameter] = []

    def variable(match: re.Match[str]) -> str:
        name, regex, rest = match.groups()
        converter = "path" if rest else converter_of(regex or "[^/]+")
        parameters.append(Parameter(name or rest, converter, regex if converter == "re" else ""))
        return write_variable(parameters[-1])

    return "/" + _VARIABLE.sub(variable, pattern).removeprefix("/"), tuple(parameters)
