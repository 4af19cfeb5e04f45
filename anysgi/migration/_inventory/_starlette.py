"""Starlette and FastAPI: routes, mounts and hosts in order; the first that matches path and method wins."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._paths import write_variable
from ._route import ANY, Mount, Parameter, Route, Slash

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = re.compile(r"\{(\w+)(?::\w+)?\}")
_ENDPOINT_METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
_CONVERTORS = {
    "FloatConvertor": "float",
    "IntegerConvertor": "int",
    "PathConvertor": "path",
    "StringConvertor": "string",
    "UUIDConvertor": "uuid",
}


def read(app: Any) -> Iterator[Route | Mount | str]:
    """Yield the routes and mounted apps of a Starlette or FastAPI app."""
    slash: Slash = "307" if app.router.redirect_slashes else "404"
    yield from _routes(app.routes, "", slash)


def _routes(routes: Any, host: str, slash: Slash) -> Iterator[Route | Mount | str]:
    for route in _flat(routes):
        if getattr(route, "endpoint", None) is not None:
            yield _route(route, host, slash)
        elif getattr(route, "routes", None):
            inner = getattr(route, "host", None)  # Host has one, Mount has a path
            yield from (_inside(route, item) for item in _routes(route.routes, inner or host, slash))
        elif getattr(route, "app", None) is not None:
            yield Mount(_path(route), route.app, tuple(_parameters(route).values()))
        else:
            yield f"{_kind(route)} is not a kind of route this tool knows"


def _flat(routes: Any) -> Any:
    """FastAPI keeps included routers as they are since 0.136, and flattens them on request."""
    flatten = getattr(sys.modules.get("fastapi.routing"), "iter_route_contexts", None)
    return flatten(routes) if flatten else routes


def _inside(mount: Any, item: Route | Mount | str) -> Route | Mount | str:
    """Put a route or an app of a mount below the mount's own path."""
    outer = tuple(_parameters(mount).values())
    if isinstance(item, Route):
        return replace(item, path=_path(mount) + item.path, parameters=outer + item.parameters)
    if isinstance(item, Mount):
        return Mount(_path(mount) + item.prefix, item.app, outer + item.parameters)
    return item


def _kind(route: Any) -> str:
    """The name of the route's class, behind FastAPI's context."""
    return type(getattr(route, "original_route", route)).__name__


def _path(route: Any) -> str:
    known = _parameters(route)
    return _VARIABLE.sub(lambda match: write_variable(known[match[1]]), getattr(route, "path", None) or "")


def _parameters(route: Any) -> dict[str, Parameter]:
    """The variables of a route's path; a mount has one more, for what lies below it."""
    convertors = getattr(route, "param_convertors", {})
    names = _VARIABLE.findall(getattr(route, "path", None) or "")
    return {name: Parameter(name, _converter(convertors[name])) for name in names}


def _route(route: Any, host: str, slash: Slash) -> Route:
    dependant = getattr(route, "dependant", None)
    checked = _checked(dependant)
    methods = _methods(route)
    automatic = {"HEAD"} if {"GET", "HEAD"} <= methods else set()
    return Route(
        methods=tuple(sorted(methods - automatic)),
        path=_path(route),
        automatic=tuple(sorted(automatic)),
        parameters=tuple(_stricter(parameter, checked) for parameter in _parameters(route).values()),
        slash=slash,
        host=host,
        runs=(route.endpoint, *_dependencies(dependant)),
    )


def _methods(route: Any) -> set[str]:
    if "WebSocket" in _kind(route):
        return {"WEBSOCKET"}
    if route.methods:
        return set(route.methods)
    cls = route.endpoint
    if not isinstance(cls, type):
        return set(ANY)
    found = {name.upper() for name in _ENDPOINT_METHODS if hasattr(cls, name)}
    return found | {"HEAD"} if "GET" in found else found


def _converter(convertor: Any) -> str:
    name = type(convertor).__name__
    return _CONVERTORS.get(name, name)


def _checked(dependant: Any) -> dict[str, Parameter]:
    """The path parameters FastAPI converts by the handler's type hints, answering 422 to what does not fit."""
    if dependant is None:
        return {}
    hints = {item.name: getattr(item.field_info, "annotation", str) for item in dependant.path_params}
    return {
        name: Parameter(name, getattr(hint, "__name__", str(hint)).lower(), rejects=422)
        for name, hint in hints.items()
        if hint is not str
    }


def _stricter(parameter: Parameter, checked: dict[str, Parameter]) -> Parameter:
    """The path is looked at first: what its own converter refuses never reaches the type hint."""
    return checked.get(parameter.name, parameter) if parameter.converter == "string" else parameter


def _dependencies(dependant: Any) -> Iterator[object]:
    for inner in getattr(dependant, "dependencies", ()):
        yield inner.call
        yield from _dependencies(inner)
