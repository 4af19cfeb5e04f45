"""Where bridges are used: counted by place in the team's own code, so that the bridge can be taken out one day."""

from __future__ import annotations

import sys
import threading
from typing import NamedTuple

_MOST = 1000  # places remembered; more are counted as one
_NOBODYS = frozenset(
    ("anysgi", "flask", "werkzeug", "django", "starlette", "fastapi", "asgiref", "anyio", "contextlib", "collections")
)


class Usage(NamedTuple):
    """One place that uses a bridge.

    Args:
        bridge: `FlaskContext`, `FlaskSession` or `DjangoSession`.
        what: `g`, `session`, `current_app`, `request`, …
        file: where; empty once too many places are known.
        line: the line in it.
        times: how often.
    """

    bridge: str
    what: str
    file: str
    line: int
    times: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} through {self.bridge}, {self.times} times"


_counts: dict[tuple[str, str, str, int], int] = {}
_lock = threading.Lock()


def note_usage(bridge: str, what: str) -> None:
    """Count one use, at the nearest line that belongs to no framework."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _NOBODYS:
        frame = frame.f_back
    place = (bridge, what, frame.f_code.co_filename, frame.f_lineno)
    with _lock:
        if place not in _counts and len(_counts) >= _MOST:
            place = (bridge, what, "", 0)
        _counts[place] = _counts.get(place, 0) + 1


def usage_report() -> list[Usage]:
    """Return every place of this process that used a bridge, the busiest first.

    An empty report after a week of traffic on every process says that the bridge can go.
    """
    with _lock:
        return sorted((Usage(*place, times) for place, times in _counts.items()), key=lambda usage: -usage.times)


def reset_usage() -> None:
    """Count from nothing."""
    with _lock:
        _counts.clear()
