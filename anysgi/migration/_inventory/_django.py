"""Django: the patterns of the root URLconf, in order; the first that matches wins, whatever the method is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._paths import converter_of, write_variable
from ._route import ANY, Parameter, Route, Slash

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONVERTERS = {
    "IntConverter": "int",
    "PathConverter": "path",
    "SlugConverter": "slug",
    "StringConverter": "string",
    "UUIDConverter": "uuid",
}
_COMMON = "django.middleware.common.CommonMiddleware"
_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def read(_app: Any) -> Iterator[Route | str]:
    """Yield the routes of the configured Django project; its handlers hold no routes of their own."""
    from django.conf import settings  # here: not installed where it is not used
    from django.urls import get_resolver

    slash: Slash = "301" if settings.APPEND_SLASH and _COMMON in settings.MIDDLEWARE else "404"
    yield from _patterns(get_resolver().url_patterns, "", (), slash)


def _patterns(patterns: Any, prefix: str, outer: tuple[Parameter, ...], slash: Slash) -> Iterator[Route | str]:
    for item in patterns:
        path, parameters = _read_pattern(item.pattern)
        if hasattr(item, "url_patterns"):
            yield from _patterns(item.url_patterns, prefix + path, outer + parameters, slash)
        else:
            yield _route(item.callback, f"/{prefix}{path}", outer + parameters, slash)


def _route(view: Any, path: str, parameters: tuple[Parameter, ...], slash: Slash) -> Route:
    methods = _methods(view)
    automatic = {"HEAD", "OPTIONS"} & methods if hasattr(view, "view_class") else set()
    return Route(
        methods=tuple(sorted(methods - automatic)),
        path=path,
        automatic=tuple(sorted(automatic)),
        parameters=parameters,
        slash=slash if path.endswith("/") and path != "/" else "404",
        runs=(view,),
    )


def _methods(view: Any) -> set[str]:
    """The methods a class-based view has, or `require_http_methods` lets through; any, for a plain function."""
    cls = getattr(view, "view_class", None) or getattr(view, "cls", None)  # `cls`: Django REST framework
    if cls is not None:
        named = getattr(view, "actions", None) or [name for name in cls.http_method_names if hasattr(cls, name)]
        found = {name.upper() for name in named}
        return found | {"HEAD"} if "GET" in found else found
    while view is not None:
        code = getattr(view, "__code__", None)
        if code is not None and "request_method_list" in code.co_freevars:
            return set(view.__closure__[code.co_freevars.index("request_method_list")].cell_contents)
        view = getattr(view, "__wrapped__", None)
    return set(ANY)


def _read_pattern(pattern: Any) -> tuple[str, tuple[Parameter, ...]]:
    converters = getattr(pattern, "converters", None) or {}
    if hasattr(pattern, "_route"):
        known = {name: Parameter(name, _converter(converter)) for name, converter in converters.items()}
        path = _VARIABLE.sub(lambda match: write_variable(known[match[1]]), str(pattern))
        return path, tuple(known.values())
    if not hasattr(pattern, "_regex"):
        return str(pattern), ()  # the language prefix of i18n_patterns
    return _read_regex(str(pattern))


def _converter(converter: Any) -> str:
    name = type(converter).__name__
    return _CONVERTERS.get(name, name)


def _read_regex(text: str) -> tuple[str, tuple[Parameter, ...]]:
    """Write a regular expression as a template: each group is a variable, what is optional is taken as absent."""
    parameters: list[Parameter] = []
    parts: list[str] = []
    text = text.removeprefix("^").removesuffix("$").removesuffix("\\Z")
    position = 0
    while position < len(text):
        if text[position] == "(":
            end = _closing(text, position)
            group = re.fullmatch(r"\((?:\?P<(\w+)>|\?:)?(.*?)\)?", text[position:end], re.DOTALL)
            assert group is not None
            name = group[1] or f"arg{len(parameters)}"
            converter = converter_of(group[2])
            parameters.append(Parameter(name, converter, group[2] if converter == "re" else ""))
            parts.append(write_variable(parameters[-1]))
            position = end
        else:
            literal = re.compile(r"\\?(.)(\?)?", re.DOTALL).match(text, position)
            assert literal is not None
            parts.append("" if literal[2] else literal[1])
            position = literal.end()
    return "".join(parts), tuple(parameters)


def _closing(text: str, start: int) -> int:
    """Return where the group that opens at `start` ends."""
    depth = 0
    for found in re.compile(r"\\.|\[[^\]]*\]|[()]").finditer(text, start):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(text)
