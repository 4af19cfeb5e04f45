"""Which routes of two apps answer the same requests.

Routes are grouped by their shape: the text of the path and where its variables stand.  Groups that also agree in
converters are paired first; of the rest, those of one shape are, and their converters differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from .._templates import Template, parse_template
from .._variables import TemplateError, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._inventory import Route

Shape = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The routes of both apps for one shape; one side may be empty."""

    old: tuple[Route, ...]
    new: tuple[Route, ...]


@lru_cache(4096)
def template_of(path: str) -> Template | None:
    """Parse a path; None for what `routes.toml` could not hold."""
    try:
        return parse_template(path)
    except TemplateError:
        return None


def shape_of(route: Route) -> Shape:
    """Return what two routes for the same requests have in common: variables have no names, slashes do not end it."""
    template = template_of(route.path)
    if template is None:
        return (route.host, route.path)
    segments = ("".join(_mark(piece) for piece in segment) for segment in template.segments)
    return (route.host, *(segment for segment in segments if segment))


def _mark(piece: str | Variable) -> str:
    if isinstance(piece, str):
        return piece
    return "<path>" if piece.converter == "path" else "<>"


def pair(old: Iterable[Route], new: Iterable[Route]) -> list[Pair]:
    """Pair the routes of two apps.

    Args:
        old: of the app that is to be replaced.
        new: of the app that replaces it.

    Returns:
        One pair for every group of old routes, in their order, then one for every group of new routes left over.
    """
    olds, news = _by_converters(old), _by_converters(new)
    exact = {key: news.pop(key) for key in olds if key in news}
    pairs = []
    for key, routes in olds.items():
        near = next((other for other in news if other[0] == key[0]), None) if key not in exact else None
        partner = exact.get(key, ()) if near is None else news.pop(near)
        pairs.append(Pair(tuple(routes), tuple(partner)))
    return pairs + [Pair((), tuple(routes)) for routes in news.values()]


def _by_converters(routes: Iterable[Route]) -> dict[tuple[Shape, tuple[str, ...]], list[Route]]:
    groups: dict[tuple[Shape, tuple[str, ...]], list[Route]] = {}
    for route in routes:
        converters = tuple(parameter.converter for parameter in route.parameters)
        groups.setdefault((shape_of(route), converters), []).append(route)
    return groups
