"""What differs between two answers of one and the same app is noise: clocks, random ids, counters.

Each request is answered twice by the old app and once by the new one.  A place that differed between the first two says
nothing about the third, in this request and, once seen, in every request to the same route.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...middleware._names import several

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._finding import Finding

_INDEX = re.compile(r"\[\d+\]")
_NEVER_COUNT = frozenset(["chunking", "timing"])
_MOST = 1_000  # places remembered of one route

# What stands for a user, an order, a commit: digits, UUIDs, long hexadecimal and base64 words.
_VARIABLE = re.compile(r"\d+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|[\w-]{24,}")


def route_of(method: str, path: str) -> str:
    """Name the route of a request nobody gave a table for: `GET /users/{}`."""
    return f"{method} " + "/".join("{}" if _VARIABLE.fullmatch(step) else step for step in path.split("/"))


class Noise:
    """Places that differ without a reason, by route.

    Args:
        ignored: places the user named, of every route, such as `"$.generated_at"` or `"etag"`.
    """

    __slots__ = ("_ignored", "_places")

    def __init__(self, ignored: Iterable[str] = ()) -> None:
        self._ignored = frozenset(map(_general, several(ignored)))
        self._places: dict[str, set[tuple[str, str]]] = {}

    def learn(self, route: str, findings: Iterable[Finding]) -> None:
        """Remember what differed between two answers of the old app."""
        places = self._places.setdefault(route, set())
        for finding in findings:
            if len(places) < _MOST:
                places.add(_key(finding))

    def without(self, route: str, findings: Iterable[Finding]) -> list[Finding]:
        """Leave out what is known to be noise."""
        places = self._places.get(route, set())
        return [
            finding
            for finding in findings
            if _key(finding) not in places and _general(finding.place) not in self._ignored
        ]

    def places(self) -> dict[str, list[str]]:
        """What was found, by route, for a report; what would not have counted is not worth a word."""
        told = {
            route: sorted({f"{kind}: {place}" for kind, place in places if kind not in _NEVER_COUNT})
            for route, places in sorted(self._places.items())
        }
        return {route: places for route, places in told.items() if places}


def _key(finding: Finding) -> tuple[str, str]:
    if finding.kind in ("text", "html", "bytes"):
        return finding.kind, _general(finding.place)
    return ("header" if finding.kind == "redirect" else finding.kind), _general(finding.place)


def _general(place: str) -> str:
    """A place in every element of a list alike."""
    return _INDEX.sub("[*]", place)
