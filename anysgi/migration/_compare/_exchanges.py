"""A request and its answer, as they are recorded, sent again and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""(name, value) pairs in order, names lowercased; values as latin-1 text, byte for byte."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Args:
        method: in capitals.
        target: path and query as on the wire, percent-encoded.
        headers: all of them.
        body: all of it.
        at: where it was read from, such as `traffic.jsonl:7`; empty for one that was not.
    """

    method: str = "GET"
    target: str = "/"
    headers: Headers = ()
    body: bytes = b""
    at: str = ""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer.

    Args:
        status: 0 if there was none.
        headers: all of them.
        body: as much of it as came.
        pieces: in how many pieces it came, 0 where that cannot be told.
        seconds: until the last byte.
        error: why it is not complete; empty if it is.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    pieces: int = 0
    seconds: float = 0.0
    error: str = ""

    def header(self, name: str) -> str:
        """The first value of a header; empty if it is absent."""
        return next((value for field, value in self.headers if field == name), "")

    def values(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for field, value in self.headers if field == name]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request, and the answer it got when it was recorded, if that was kept."""

    request: Asked
    response: Answered | None = None
    moment: float | None = None
    """Seconds since the epoch."""
