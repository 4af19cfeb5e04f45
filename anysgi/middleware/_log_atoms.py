"""The names that a format of `access_log` may use: gunicorn's atoms, and what each finds in an entry."""

from __future__ import annotations

import os
import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from .._core._paths import quoted_path
from ._log_entry import zone
from ._request_id import current_request_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._log_entry import Entry


_SIGN = re.compile(r"%(?:%|\((?P<name>[^()]*)\)[-0]?\d*(?:\.\d+)?s|(?:\([^()]*\)?)?\w?)")  # the last is none


class Atoms:
    """The names a format uses; no other one is looked up.

    Args:
        line: the format.

    Attributes:
        readers: by name, what finds its value.

    Raises:
        ValueError: a percent sign that begins no atom, or no atom at all.
    """

    def __init__(self, line: str) -> None:
        self.readers: dict[str, Callable[[Entry], object]] = {}
        for sign in _SIGN.finditer(line):
            if sign[0] != "%%":
                name = sign["name"] or ""
                reader = _ATOMS.get(name) or _header_reader(name)
                if reader is None:
                    raise ValueError(f"{sign[0]!r} at {sign.start()} is no atom; {_WRITE}")
                self.readers[name] = reader
        if not self.readers:
            raise ValueError(f"no atom in it; {_WRITE}")

    def of(self, entry: Entry) -> dict[str, object]:
        """The values."""
        return {name: _safe(read(entry)) for name, read in self.readers.items()}


def _header_reader(name: str) -> Callable[[Entry], object] | None:
    header = name[1:-2]
    if name.startswith("{") and name.endswith("}i"):
        return lambda entry: entry.request.headers.get(header)
    if name.startswith("{") and name.endswith("}o"):
        return lambda entry: entry.response.headers.get(header) if entry.response is not None else None
    return None


@lru_cache(64)
def _clock(second: int) -> str:
    return datetime.fromtimestamp(second, zone(second)).strftime("[%d/%b/%Y:%H:%M:%S %z]")


_ATOMS: dict[str, Callable[[Entry], object]] = {
    "h": lambda entry: entry.client,
    "l": lambda entry: None,
    "u": lambda entry: None,
    "t": lambda entry: _clock(int(entry.began)),
    "r": lambda entry: f"{entry.method} {entry.target} HTTP/{entry.http_version}",
    "m": lambda entry: entry.method,
    "U": lambda entry: quoted_path(entry.path).decode(),
    "q": lambda entry: entry.query,
    "H": lambda entry: f"HTTP/{entry.http_version}",
    "s": lambda entry: entry.status,
    "B": lambda entry: entry.outcome.bytes_sent,
    "b": lambda entry: entry.outcome.bytes_sent or None,
    "I": lambda entry: entry.outcome.bytes_received,
    "f": lambda entry: entry.referer,
    "a": lambda entry: entry.request.headers.get("user-agent"),
    "T": lambda entry: int(entry.outcome.duration),
    "D": lambda entry: int(entry.outcome.duration * 1e6),
    "M": lambda entry: int(entry.outcome.duration * 1e3),
    "L": lambda entry: f"{entry.outcome.duration:.6f}",
    "F": lambda entry: _microseconds(entry.outcome.first_byte),
    "O": lambda entry: entry.outcome.kind,
    "p": lambda entry: f"<{os.getpid()}>",
    "i": lambda entry: current_request_id(),
}
"""gunicorn's names (Settings, "access_log_format"), and `O` the outcome, `F` microseconds to the head, `I` bytes
received, `i` the request id."""

_WRITE = (
    f"write %(name)s, the name one of {' '.join(_ATOMS)} {{header}}i {{header}}o, and %% for a percent sign, "
    "as in format='%(h)s %(r)s %(s)s'"
)


def _safe(value: object) -> object:
    """A value that cannot forge a line or leave its quotes."""
    if value is None:
        return "-"
    if isinstance(value, str) and (not value.isprintable() or '"' in value or "\\" in value):
        return value.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return value


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1e6)
