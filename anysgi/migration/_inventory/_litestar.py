"""Litestar: one route for each handler of each path; trailing slashes never matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._paths import write_variable
from ._route import ANY, Parameter, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = {"str": "string", "Path": "path", "UUID": "uuid"}


def read(app: Any) -> Iterator[Route | str]:
    """Yield the routes of a Litestar app."""
    for route in app.routes:
        path, parameters = _template(route.path_components)
        handlers = getattr(route, "route_handlers", None) or [route.route_handler]
        for handler in sorted(handlers, key=lambda handler: handler.fn.__qualname__):  # Litestar keeps them in a set
            if handler.fn.__module__.startswith("litestar.routes"):
                continue  # the OPTIONS it adds
            methods = set(getattr(handler, "http_methods", ())) or _other(route)
            options = {"OPTIONS"} & set(getattr(route, "methods", ())) - methods
            yield Route(
                methods=tuple(sorted(methods)),
                path=path,
                automatic=tuple(options),
                parameters=parameters,
                slash="same",
                runs=(handler.fn, *_dependencies(handler)),
            )


def _other(route: Any) -> set[str]:
    return {"WEBSOCKET"} if "WebSocket" in type(route).__name__ else set(ANY)


def _dependencies(handler: Any) -> list[object]:
    return [provider.dependency for provider in handler.resolve_dependencies().values()]


def _template(components: Any) -> tuple[str, tuple[Parameter, ...]]:
    known = [item if isinstance(item, str) else _parameter(item) for item in components]
    path = "".join("/" + (item if isinstance(item, str) else write_variable(item)) for item in known)
    return path or "/", tuple(item for item in known if not isinstance(item, str))


def _parameter(definition: Any) -> Parameter:
    name = definition.type.__name__
    return Parameter(definition.name, _TYPES.get(name, name))
