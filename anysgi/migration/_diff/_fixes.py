"""The line to write so that the new app does what the old one did, by kind of difference and framework."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._inventory import Route
    from ._difference import Kind

_ELSE = ""
_WITH_BRACES = ("FastAPI", "Starlette", "Falcon", "Litestar", "Pyramid")
_BRACES = re.compile(r"<(?:[^<>]*:)?(\w+)>")
_FIXES: dict[tuple[Kind, str], str] = {
    ("missing-method", "FastAPI"): '@app.api_route("{path}", methods=[{methods}])',
    ("missing-method", "Starlette"): 'Route("{path}", …, methods=[{methods}])',
    ("missing-method", "Litestar"): '@route("{path}", http_method=[{methods}])',
    ("missing-method", "Falcon"): "def on_head(self, request, response): self.on_get(request, response)",
    ("missing-method", _ELSE): "name every method on the route",
    ("slash", "FastAPI"): "FastAPI(redirect_slashes=False), and register the form that is missing",
    ("slash", "Starlette"): "app.router.redirect_slashes = False, and register the form that is missing",
    ("slash", "Flask"): 'the same trailing slash in @app.route("{path}"), or strict_slashes=False',
    ("slash", "Quart"): 'the same trailing slash in @app.route("{path}"), or strict_slashes=False',
    ("slash", "Django"): "APPEND_SLASH in settings.py, and the same trailing slash in path()",
    ("slash", "Falcon"): "app.req_options.strip_url_path_trailing_slash = True",
    ("slash", _ELSE): "register both forms",
    ("converter", "FastAPI"): "the converter in the path, as in {id:int}, answers 404 where a type hint answers 422",
    ("converter", _ELSE): 'the converter of the old path: "{path}"',
    ("shadowed", _ELSE): 'register it before "{path}"',
}


def fix_for(kind: Kind, framework: str | None, route: Route, methods: Iterable[str] = ()) -> str:
    """Return the line to write; empty where there is none to suggest.

    Args:
        kind: of the difference.
        framework: the new app's.
        route: whose path the line is about.
        methods: all that the route has to name.
    """
    line = _FIXES.get((kind, framework or _ELSE)) or _FIXES.get((kind, _ELSE), "")
    path = _BRACES.sub(r"{\1}", route.path) if framework in _WITH_BRACES else route.path
    return line.replace("{path}", path).replace("{methods}", ", ".join(f'"{method}"' for method in methods))
