"""Count an app's routes, per framework, by its own public means where it has some.

Best effort: a framework this page does not know, or one that keeps its routes elsewhere, gives None.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def count_routes(framework: str | None, app: Any) -> int | None:
    """Count the routes of a framework's app.

    Args:
        framework: its name, as `framework_of` gives it.
        app: the framework's own app object.

    Returns:
        How many URL patterns it answers to, static files and generated documentation included; None if unknown.
    """
    count = _COUNTERS.get(framework or "")
    if count is None:
        return None
    with contextlib.suppress(Exception):  # frameworks move their insides, and a Django urlconf may not import
        return count(app)
    return None


def _werkzeug(app: Any) -> int:
    return sum(1 for _ in app.url_map.iter_rules())


def _django(_app: Any) -> int:
    urls: Any = importlib.import_module("django.urls")  # untyped, and not installed where it is not used
    return _django_patterns(urls.get_resolver().url_patterns)


def _django_patterns(patterns: Iterable[Any]) -> int:
    return sum(_django_patterns(item.url_patterns) if hasattr(item, "url_patterns") else 1 for item in patterns)


def _starlette(app: Any) -> int:
    return sum(_starlette_route(route) for route in app.routes)


def _starlette_route(route: Any) -> int:
    inside = getattr(route, "routes", None)  # Mount and Host have some; a mounted foreign app has none
    return sum(_starlette_route(inner) for inner in inside) if inside else 1


def _pyramid(app: Any) -> int:
    return len(app.registry.introspector.get_category("routes") or ())


def _falcon(app: Any) -> int:
    from falcon.inspect import inspect_routes

    return len(inspect_routes(app))


def _routes(app: Any) -> int:
    return len(app.routes)


_COUNTERS: dict[str, Callable[[Any], int]] = {
    "Bottle": _routes,
    "Django": _django,
    "FastAPI": _starlette,
    "Falcon": _falcon,
    "Flask": _werkzeug,
    "Litestar": _routes,
    "Pyramid": _pyramid,
    "Quart": _werkzeug,
    "Starlette": _starlette,
}
