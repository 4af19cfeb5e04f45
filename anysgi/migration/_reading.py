"""TOML with line numbers: what `tomllib` reads, and where in the file each route and each of its keys stands."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from ..exceptions import RouteTableError

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[\w.\"'-]+)\s*\]\]?\s*(#.*)?")
_KEY = re.compile(r"\s*[\"']?(?P<name>[\w-]+)[\"']?\s*=")


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the file: its values, and the lines they stand on."""

    values: dict[str, Any]
    file: str
    line: int = 0
    lines: dict[str, int] = field(default_factory=dict)

    def where(self, key: str = "") -> str:
        """`file:line` of a key, or of the table itself."""
        line = self.lines.get(key, self.line)
        return f"{self.file}:{line}" if line else self.file


def read_toml(text: str, file: str) -> tuple[Entry, list[Entry]]:
    """Read a table's text.

    Args:
        text: TOML.
        file: its name, for messages.

    Returns:
        The top level, and the `[[route]]` entries in order.

    Raises:
        RouteTableError: it is not TOML, or `route` is no list of tables.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RouteTableError([_syntax(str(error), file, text)]) from None
    routes = values.pop("route", [])
    top, places = _places(text)
    if not isinstance(routes, list) or not all(isinstance(route, dict) for route in routes):
        raise RouteTableError(
            [f"{file}:{top.get('route', 1)}: `route` is a list of tables; write [[route]], in double brackets"]
        )
    if len(places) != len(routes):  # written inline: no lines to tell
        places = [(0, {})] * len(routes)
    entries = [Entry(route, file, *place) for route, place in zip(routes, places, strict=True)]
    return Entry(values, file, 1, top), entries


def _syntax(message: str, file: str, text: str) -> str:
    at = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", message)
    if at is None:
        return f"{file}: this is not TOML: {message}"
    return f"{file}:{at[1] or text.count(chr(10)) + 1}: this is not TOML: {message.replace(at[0], '')}"


def _places(text: str) -> tuple[dict[str, int], list[tuple[int, dict[str, int]]]]:
    """The lines of the keys at the top, and of each `[[route]]` with its keys."""
    top: dict[str, int] = {}
    routes: list[tuple[int, dict[str, int]]] = []
    current = top
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.fullmatch(line)
        if header:
            current = {}
            if header["name"].strip("\"'") == "route":
                top.setdefault("route", number)
                routes.append((number, current))
        elif key := _KEY.match(line):
            current.setdefault(key["name"], number)
    return top, routes
