"""Finds the most specific route for a method and a path.

Nothing is folded: `//a` is not `/a`.  A slash at the end may be there or not, since whether to redirect is the business
of the side that answers; where both spellings are routes, the request's own slash decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from ._tree import Node, may_share_a_path

if TYPE_CHECKING:
    from ._table import Route


class Matcher:
    """The routes of one table, ready to be asked.

    Args:
        routes: in any order.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._tree = Node()
        for route in routes:
            self._tree.add(route)

    def find(self, method: str, path: str) -> Route | None:
        """Return the most specific route, or None.

        Args:
            method: in capitals.
            path: decoded, as `PATH_INFO` or a scope's path without its root.
        """
        if path[:1] != "/":
            return None
        parts = path.split("/")
        slash = not parts[-1]
        if slash:
            parts.pop()
        return self._tree.find(method, parts, 1, slash)

    def conflicts(self) -> Iterator[tuple[Route, Route, bool]]:
        """Yield pairs of routes that claim the same requests (True), or that only their order tells apart (False)."""
        for node in self._tree.walk():
            for one, two in combinations(node.routes, 2):
                if one.template.slash == two.template.slash and _claim_the_same(one, two):
                    yield one, two, True
            for left, right in combinations(node.edges, 2):
                if left.rivals(right):
                    yield from ((*pair, False) for pair in _rivals(left.node, right.node))


def _claim_the_same(one: Route, two: Route) -> bool:
    """At one path, a route that names its methods goes before one that takes them all."""
    return bool(set(one.methods) & set(two.methods)) or not (one.methods or two.methods)


def _rivals(left: Node, right: Node) -> Iterator[tuple[Route, Route]]:
    """The routes below two nodes that one request may reach."""
    for one in (route for node in left.walk() for route in node.routes):
        for two in (route for node in right.walk() for route in node.routes):
            if _may_share_a_method(one, two) and may_share_a_path(one.template, two.template):
                yield one, two


def _may_share_a_method(one: Route, two: Route) -> bool:
    return not (one.methods and two.methods) or any(map(two.takes, (*one.methods, "HEAD")))
