"""Which of an app's routes a request is for, so that what many requests tell is told once of their route."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

from ._compare._noise import route_of
from ._inventory import Inventory, take_inventory
from ._matching import Matcher
from ._table import Route
from ._variables import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Namer: TypeAlias = Callable[[str, str], str]


def matcher_of(inventory: Inventory) -> Matcher:
    """The routes of an app, ready to be asked; those that `routes.toml` cannot hold are left out."""
    return Matcher(list(_routes(inventory)))


def _routes(inventory: Inventory) -> Iterator[Route]:
    for route in inventory.routes:
        try:
            yield Route(route.path, methods=tuple(sorted(route.answers - {"*"})))
        except TemplateError:
            continue


def namer_of(apps: Iterable[object]) -> Namer:
    """Name requests, by method and encoded path, by the routes of the first app that shows some.

    What fits no route is named by the look of its path; so is what fits `<path:rest>`, which may hide a whole app.
    """
    inventory = next((found for found in map(_inventory, apps) if found.routes), None)
    if inventory is None:
        return route_of
    matcher = matcher_of(inventory)

    def name(method: str, path: str) -> str:
        route = matcher.find(method, unquote(path))
        return f"{method} {route.path}" if route and route.template.depth else route_of(method, path)

    return name


def _inventory(app: object) -> Inventory:
    try:
        return take_inventory(app)
    except Exception:  # frameworks move their insides, and a Django urlconf may not import
        return Inventory(None, (), ())
