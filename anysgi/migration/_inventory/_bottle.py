"""Bottle: static rules first, then the dynamic ones in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._paths import converter_of, write_variable
from ._route import ANY, Mount, Parameter, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = re.compile(r"<(\w+)?(?::(\w*)(?::((?:\\.|[^\\>])+))?)?>|:(\w+)(?:#(.*?)#)?")


def read(app: Any) -> Iterator[Route | Mount | str]:
    """Yield the routes and mounts of a Bottle app."""
    for route in sorted(app.routes, key=lambda route: bool(_VARIABLE.search(route.rule))):
        mounted = route.config.get("mountpoint.target")
        if mounted is None:
            yield _route(route)
        elif _VARIABLE.search(route.rule):  # a mount has two rules: with and without its slash
            yield Mount(route.config["mountpoint.prefix"].rstrip("/"), mounted)


def _route(route: Any) -> Route:
    parameters: list[Parameter] = []

    def variable(match: re.Match[str]) -> str:
        name, written, pattern = match[1] or match[4] or f"arg{len(parameters)}", match[2], match[3] or match[5]
        converter = converter_of(pattern) if pattern else written or "string"
        parameters.append(Parameter(name, converter, pattern if converter == "re" else ""))
        return write_variable(parameters[-1])

    return Route(
        methods=ANY if route.method in ("ANY", "PROXY") else (route.method,),
        path=_VARIABLE.sub(variable, route.rule),
        automatic=("HEAD",) if route.method == "GET" else (),
        parameters=tuple(parameters),
        runs=(route.callback,),
    )
