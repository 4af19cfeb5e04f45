"""Flask and Quart: the rules of Werkzeug's map as they were added; it matches the most specific one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._paths import write_variable
from ._route import Parameter, Route, Slash

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = re.compile(r"<(?:(?P<converter>\w+)(?:\((?P<arguments>.*?)\))?:)?(?P<name>\w+)>")
_KNOWN = {"default": "string"}


def read(app: Any) -> Iterator[Route | str]:
    """Yield the routes of a Flask or Quart app."""
    for rule in app.url_map.iter_rules():
        if not rule.build_only:
            yield _route(app, rule)


def _route(app: Any, rule: Any) -> Route:
    parameters: list[Parameter] = []

    def variable(match: re.Match[str]) -> str:
        parameters.append(_parameter(app, match))
        return write_variable(parameters[-1])

    path = _VARIABLE.sub(variable, rule.rule)
    methods = {"WEBSOCKET"} if rule.websocket else set(rule.methods or ())
    automatic = {"HEAD"} & methods if "GET" in methods else set()
    if getattr(rule, "provide_automatic_options", False):
        automatic |= {"OPTIONS"} & methods
    return Route(
        methods=tuple(sorted(methods - automatic)),
        path=path,
        automatic=tuple(sorted(automatic)),
        parameters=tuple(parameters),
        slash=_slash(app, rule),
        host=rule.host or rule.subdomain or "",
        runs=(app.view_functions.get(rule.endpoint), *_before(app, rule.endpoint)),
    )


def _parameter(app: Any, match: re.Match[str]) -> Parameter:
    written = match["converter"] or "default"
    name = _KNOWN.get(written, written)
    own = app.url_map.converters.get(written)
    if own is not app.url_map.default_converters.get(written):
        return Parameter(match["name"], getattr(own, "__name__", name))
    return Parameter(match["name"], name, match["arguments"] or "" if name == "any" else "")


def _slash(app: Any, rule: Any) -> Slash:
    strict = app.url_map.strict_slashes if rule.strict_slashes is None else rule.strict_slashes
    if not strict:
        return "same"
    return "404" if rule.is_leaf else "308"


def _before(app: Any, endpoint: str) -> list[object]:
    """The functions registered to run before a request for this endpoint: the app's and its blueprints'."""
    names = [None, *(endpoint.rsplit(".", depth)[0] for depth in range(1, endpoint.count(".") + 1))]
    return [function for name in names for function in app.before_request_funcs.get(name, ())]
