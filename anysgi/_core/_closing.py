"""What a WSGI app returned, and its `close()`, which whoever iterates owes it (PEP 3333, "Specification Details")."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def close(iterable: object) -> None:
    """Call the `close()` of what an app returned, if it has one."""
    method = getattr(iterable, "close", None)
    if method is not None:
        method()


class Rest:
    """An app's iterable from which a few chunks were taken already; it is closed as that would be."""

    __slots__ = ("_chunks", "close")

    def __init__(self, iterable: object, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.close = lambda: close(iterable)

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks
