"""The routes of a table as a tree, one level a segment; what is more specific hangs further left.

Where two routes part, text goes before a variable; a variable with text beside it goes before a bare one; then the
converter with the smaller weight goes first.  A `<path:…>` swallows segments, so it and what follows it are one edge to
a leaf.  The tree is as deep as the longest template, and a lookup sees no node twice.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from werkzeug.routing import AnyConverter, BaseConverter, FloatConverter, IntegerConverter, Map, PathConverter
from werkzeug.routing import UnicodeConverter as StringConverter
from werkzeug.routing.rules import parse_converter_args

from ._variables import CONVERTERS, Variable

if TYPE_CHECKING:
    from ._table import Route
    from ._templates import Piece, Segment, Template


class _Float(FloatConverter):
    """Takes `7` as well: Starlette's float does."""

    regex = r"\d+(?:\.\d+)?"


class _Uuid(BaseConverter):
    regex = r"[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}"


class _Slug(BaseConverter):
    regex = r"[-A-Za-z0-9_]+"


class _Re(BaseConverter):
    def __init__(self, map: Map, pattern: str) -> None:
        super().__init__(map)
        self.regex = pattern


_CONVERTERS: dict[str, type[BaseConverter]] = {
    "any": AnyConverter,
    "int": IntegerConverter,
    "float": _Float,
    "uuid": _Uuid,
    "re": _Re,
    "slug": _Slug,
    "string": StringConverter,
    "path": PathConverter,
}
_MAP = Map()  # converters want one

# Most variables are a bare `<int:…>` or `<name>`, and a segment has no slash: these say the same in less time.
_SHORTCUTS: dict[str, Callable[[str], bool]] = {r"(?:\d+)": str.isdecimal, "(?:[^/]{1,})": bool}


class Edge:
    """The way to a node through segments with a variable: one segment, or all the rest if `<path:…>` is among them.

    Args:
        segments: the shape of what it takes.
    """

    __slots__ = ("fits", "node", "rank", "segments", "swallows")

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self.segments = segments
        self.rank = tuple(map(_rank, segments))
        self.swallows = _swallows(segments[0])
        pattern = "/".join("".join(map(_pattern, segment)) for segment in segments)
        self.fits: Callable[[str], object] = _SHORTCUTS.get(pattern) or re.compile(pattern).fullmatch
        self.node = Node()

    def rivals(self, other: Edge) -> bool:
        """Whether a text may fit both, and nothing but their order could say which is more specific."""
        return self.rank == other.rank and all(map(_may_meet, self.segments, other.segments))


class Node:
    """What routes have in common up to here.

    Attributes:
        texts: further nodes, by the text of the next segment.
        edges: further nodes, through variables; the most specific first.
        forks: whether a segment may go through more than one of them, or through one that takes further segments.
        routes: those that end here; the ones that name their methods first.
        ends: what `pick` wants to know of each.
    """

    __slots__ = ("edges", "ends", "forks", "routes", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.forks = False
        self.ends: list[tuple[Route, frozenset[str], bool]] = []
        self.routes: list[Route] = []

    def add(self, route: Route) -> None:
        """Hang a route into the tree."""
        node, segments = self, route.template.bare
        while segments:
            node, segments = node._next(segments)
        insort(node.routes, route, key=_order)
        node.ends = [(each, each.answers, each.template.slash) for each in node.routes]

    def _next(self, segments: tuple[Segment, ...]) -> tuple[Node, tuple[Segment, ...]]:
        text = _text(segments[0])
        if text is not None:
            return self.texts.setdefault(text, Node()), segments[1:]
        taken = len(segments) if _swallows(segments[0]) else 1
        for edge in self.edges:
            if edge.segments == segments[:taken]:
                return edge.node, segments[taken:]
        edge = Edge(segments[:taken])
        insort(self.edges, edge, key=_rank_of)
        self.forks = len(self.edges) > 1 or edge.swallows
        return edge.node, segments[taken:]

    def pick(self, method: str, slash: bool) -> Route | None:
        """The route that ends here and takes the method; the request's own slash at the end decides between two."""
        other = None
        for route, methods, ends_with_slash in self.ends:
            if not methods or method in methods:
                if ends_with_slash is slash:
                    return route
                other = other or route
        return other

    def find(self, method: str, parts: list[str], at: int, slash: bool) -> Route | None:
        """The most specific route for what is left of a path.

        Args:
            method: in capitals.
            parts: the path's segments.
            at: the first one not yet taken.
            slash: whether a slash follows the last one.
        """
        node, end = self, len(parts)
        while at < end:
            part = parts[at]
            text = node.texts.get(part)
            if node.edges:
                if text is not None or node.forks:
                    return node._try(text, method, parts, at, slash)
                [edge] = node.edges
                if not edge.fits(part):
                    return None
                node = edge.node
            elif text is None:
                return None
            else:
                node = text
            at += 1
        return node.pick(method, slash)

    def _try(self, text: Node | None, method: str, parts: list[str], at: int, slash: bool) -> Route | None:
        """Where there is more than one way on, each in turn."""
        found = text.find(method, parts, at + 1, slash) if text is not None else None
        if found is not None:
            return found
        for edge in self.edges:
            if edge.swallows:
                found = edge.node.pick(method, slash) if edge.fits("/".join(parts[at:])) else None
            elif edge.fits(parts[at]):
                found = edge.node.find(method, parts, at + 1, slash)
            if found is not None:
                return found
        return None

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for node in (*self.texts.values(), *(edge.node for edge in self.edges)):
            yield from node.walk()


def _order(route: Route) -> tuple[bool, bool]:
    """A route that names its methods goes first, and one that names HEAD before one that has it by GET."""
    return not route.methods, "HEAD" not in route.methods


def _rank_of(edge: Edge) -> tuple[tuple[int, ...], ...]:
    return (*edge.rank, _END)


_END = (2,)  # after text and variables: of two edges that agree so far, the longer one is more specific


def _rank(segment: Segment) -> tuple[int, ...]:
    weights = [CONVERTERS[piece.converter] for piece in segment if isinstance(piece, Variable)]
    if not weights:
        return (0,)
    return (1, -sum(len(piece) for piece in segment if isinstance(piece, str)), *weights)


def _text(segment: Segment) -> str | None:
    """The segment if it is text alone."""
    return segment[0] if len(segment) == 1 and isinstance(segment[0], str) else None


def _swallows(segment: Segment) -> bool:
    return any(isinstance(piece, Variable) and piece.converter == "path" for piece in segment)


def may_share_a_path(one: Template, two: Template) -> bool:
    """Whether some path may fit both templates; True when in doubt."""
    if one.depth and two.depth:
        return one.depth == two.depth and all(map(_may_meet, one.bare, two.bare))
    return True


def _may_meet(one: Segment, two: Segment) -> bool:
    """Whether some text may fit both segments; True when in doubt."""
    if all(isinstance(piece, str) for piece in (*one, *two)):
        return one == two
    if len(one) != len(two):
        return True
    pairs = zip(one, two, strict=True)
    return all(a.may_meet(b) for a, b in pairs if isinstance(a, Variable) and isinstance(b, Variable))


def _pattern(piece: Piece) -> str:
    if isinstance(piece, str):
        return re.escape(piece)
    args, options = parse_converter_args(piece.arguments)
    return f"(?:{_CONVERTERS[piece.converter](_MAP, *args, **options).regex})"
