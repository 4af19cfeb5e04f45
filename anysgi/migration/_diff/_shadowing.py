"""Routes that are never reached because an earlier one takes their requests.

It happens where the first route that fits wins (`FIRST_WINS`); Werkzeug, Falcon and Litestar choose the most specific.
Moving `/items/new` and `/items/<id>` from one sort to the other is how it happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._inventory import ANY
from .._variables import Variable
from ._difference import Difference
from ._fixes import fix_for
from ._pairing import shape_of, template_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .._inventory import Inventory, Route
    from .._templates import Piece, Segment

FIRST_WINS = ("Bottle", "Django", "FastAPI", "Pyramid", "Starlette")
WHATEVER_THE_METHOD = ("Django", "Pyramid")
"""Frameworks that stop at the first path that fits, even if its handler refuses the method."""


def newly_shadowed(old: Inventory, new: Inventory) -> Iterator[Difference]:
    """Yield the routes of the new app that are never reached, unless the old app has the same flaw."""
    known = {shape_of(route) for route, _by in shadowed(old)}
    for route, by in shadowed(new):
        if shape_of(route) not in known:
            at = (route.handler.file, route.handler.line) if route.handler.file and route.handler.line else None
            first = f"never reached: {' '.join(by.methods)} {by.path} comes first"
            fix = fix_for("shadowed", new.framework, by)
            yield Difference("shadowed", route.path, route.methods, "reached", first, fix, None, at)


def shadowed(inventory: Inventory) -> Iterator[tuple[Route, Route]]:
    """Yield every route that is never reached, with the earlier one that takes its requests."""
    if inventory.framework not in FIRST_WINS:
        return
    earlier: list[Route] = []
    for route in inventory.routes:
        by = next((other for other in earlier if _takes_all(other, route, inventory.framework)), None)
        if by is not None:
            yield route, by
        earlier.append(route)


def _takes_all(first: Route, second: Route, framework: str) -> bool:
    if first.host not in ("", second.host) or (framework == "Pyramid" and first.path == second.path):
        return False  # several views of one Pyramid route are chosen by their predicates
    methods = framework in WHATEVER_THE_METHOD or ANY[0] in first.answers or first.answers >= set(second.methods)
    one, two = template_of(first.path), template_of(second.path)
    return methods and one is not None and two is not None and covers(one.segments, two.segments)


def covers(one: Sequence[Segment], two: Sequence[Segment]) -> bool:
    """Whether every path that fits the second template fits the first; False when in doubt."""
    for at, segment in enumerate(one):
        if at >= len(two):
            return False
        if _is(segment, "path"):
            return at == len(one) - 1
        if not _covers(segment, two[at]):
            return False
    return len(one) == len(two)


def _covers(one: Segment, two: Segment) -> bool:
    if [_bare(piece) for piece in one] == [_bare(piece) for piece in two]:
        return True
    if _is(one, "string"):
        return bool(two) and not any(isinstance(piece, Variable) and piece.converter == "path" for piece in two)
    return _is(one, "int") and len(two) == 1 and isinstance(two[0], str) and two[0].isdecimal()


def _is(segment: Segment, converter: str) -> bool:
    return len(segment) == 1 and isinstance(segment[0], Variable) and segment[0].converter == converter


def _bare(piece: Piece) -> object:
    return piece if isinstance(piece, str) else (piece.converter, piece.arguments)
