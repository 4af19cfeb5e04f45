"""Write a `routes.toml` to start from: everything on the legacy side, what agrees ready to be moved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .._inventory import ANY
from .._parsing import METHODS
from ._pairing import pair, template_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._inventory import Inventory, Route
    from ._difference import Difference
    from ._pairing import Pair

_HEAD = """\
# Which side answers which requests.  Made by `anysgi routes diff --write`; review it, then it is yours.
# A route that both apps have and agree about is `to = "new"` with `percent = 0`: raise the number to move it.
default = "legacy"
"""


def write_table(old: Inventory, new: Inventory, differences: Iterable[Difference]) -> str:
    """Return the text of a route table.

    Args:
        old: of the app that is to be replaced.
        new: of the app that replaces it.
        differences: what `diff_routes` found; a route with one stays on the legacy side, and the reason beside it.
    """
    reasons: dict[str, list[Difference]] = {}
    for item in differences:
        reasons.setdefault(item.path, []).append(item)
    written: set[tuple[str, tuple[str, ...]]] = set()
    rows = (row for each in pair(old.routes, new.routes) if each.old for row in _rows(each, reasons, written))
    return _HEAD + "".join(rows)


def _rows(pair: Pair, reasons: dict[str, list[Difference]], written: set[tuple[str, tuple[str, ...]]]) -> Iterator[str]:
    paths = dict.fromkeys(route.path for route in pair.old)  # with and without a slash, say: a difference names one
    for route in pair.old:
        methods = tuple(method for method in route.methods if method in METHODS)
        key = (route.path, methods)
        if key in written or (not methods and route.methods != ANY):
            continue
        written.add(key)
        sent = {*methods, "HEAD"} if "GET" in methods else set(methods)  # as the table reads it; OPTIONS stays behind
        found = [item for path in paths for item in reasons.get(path, []) if path == route.path or item.kind != "slash"]
        concerned = [item for item in found if _concerns(item, sent)]
        yield _row(route, methods, bool(pair.new), [_reason(item) for item in concerned])


def _concerns(item: Difference, sent: set[str]) -> bool:
    """Whether it is about a request that a row sends; either may be about every method, which is none by name."""
    return not item.methods or not sent or not sent.isdisjoint(item.methods)


def _reason(item: Difference) -> str:
    methods = " ".join(item.methods)
    what = item.old if methods in ("", item.old) else f"{methods} {item.old}"
    return f"{item.kind}: {what} -> {item.new}"


def _row(route: Route, methods: tuple[str, ...], is_new: bool, reasons: list[str]) -> str:
    place = f"  # {route.handler.name}" if route.handler.name else ""
    lines = ["", f"[[route]]{place}", *(f"# {reason}" for reason in reasons)]
    if methods:
        lines.append(f"methods = {json.dumps(list(methods))}")
    lines.append(f"path = {_toml(route.path)}")
    lines += ['to = "new"', "percent = 0"] if is_new and not reasons else ['to = "legacy"']
    if template_of(route.path) is None:
        lines = [
            "",
            *(f"# {line}" for line in lines if line),
            "# the router cannot tell this path apart; write it anew",
        ]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    return f"'{text}'" if '"' in text or "\\" in text else f'"{text}"'
