"""Which routes an app has, read from the app itself: one small file a framework, one `Route` for all of them.

The app is imported but never called.  `READERS` is the table of frameworks; a reader turns the framework's own records
into routes and mounts, and nothing else: what the code of a handler uses is read from its source, by `_code`.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from ..._core._detect import find_framework
from ._code import read_handler
from ._route import ANY, Fact, Handler, Inventory, Mount, Parameter, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._route import Reader

__all__ = ["ANY", "Fact", "Handler", "Inventory", "Parameter", "Route", "count_routes", "take_inventory"]

READERS = {
    "Bottle": "._bottle",
    "Django": "._django",
    "FastAPI": "._starlette",
    "Falcon": "._falcon",
    "Flask": "._werkzeug",
    "Litestar": "._litestar",
    "Pyramid": "._pyramid",
    "Quart": "._werkzeug",
    "Starlette": "._starlette",
}
"""The module that reads a framework's routes, imported when it is needed."""
_DEEPEST = 8  # apps mounted in apps


def take_inventory(app: object) -> Inventory:
    """List the routes of an app, with what their handlers use.

    Args:
        app: a framework's app, or anything around one.

    Returns:
        Every route in the order the framework tries them; without any when no known framework is found.
    """
    found = find_framework(app)
    if found is None:
        return Inventory(None, (), ("the framework is unknown, and so are its routes and what their handlers use",))
    unknown: list[str] = []
    routes = tuple(replace(route, handler=read_handler(route.runs)) for route in _walk(Mount("", app), unknown))
    return Inventory(found[0], routes, tuple(unknown))


def count_routes(app: object) -> int | None:
    """Count the routes of an app, generated ones included; None if the framework is unknown or hides them."""
    if find_framework(app) is None:
        return None
    try:
        return sum(1 for _ in _walk(Mount("", app), []))
    except Exception:  # frameworks move their insides, and a Django urlconf may not import
        return None


def _walk(mount: Mount, unknown: list[str], depth: int = 0) -> Iterator[Route]:
    """Yield an app's routes and, under their prefix, those of the apps mounted in it."""
    found = find_framework(mount.app) if depth < _DEEPEST else None
    if found is None:
        rest = (*mount.parameters, Parameter("rest", "path"))
        yield Route(ANY, f"{mount.prefix}/<path:rest>", parameters=rest, runs=(mount.app,))
        return
    framework, inner = found
    reader: Reader = import_module(READERS[framework], __name__).read if framework in READERS else _hidden(framework)
    for item in (*_beside(mount.app, inner), *reader(inner)):
        if isinstance(item, str):
            unknown.append(f"{mount.prefix or '/'}: {item}")
        elif isinstance(item, Mount):
            yield from _walk(_below(mount, item), unknown, depth + 1)
        else:
            path = mount.prefix + item.path
            slash = "same" if path == "/" else item.slash  # no client asks for ""
            yield replace(item, path=path, slash=slash, parameters=mount.parameters + item.parameters)


def _below(outer: Mount, inner: Mount) -> Mount:
    return Mount(outer.prefix + inner.prefix, inner.app, outer.parameters + inner.parameters)


def _beside(app: object, inner: object) -> Iterator[Mount]:
    """The apps that Werkzeug's `DispatcherMiddleware`, around an app or around its `wsgi_app`, serves under a path."""
    for layer in (app, getattr(inner, "wsgi_app", None)):
        while layer is not None and layer is not inner:
            mounts = getattr(layer, "mounts", None)
            yield from (Mount(path, other) for path, other in (mounts.items() if isinstance(mounts, dict) else ()))
            layer = getattr(layer, "app", None)


def _hidden(framework: str) -> Reader:
    return lambda _app: iter((f"the routes of {framework} are not known to this tool",))
