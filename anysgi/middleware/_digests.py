"""Digest fields (RFC 9530): which algorithm somebody wants, and what a digest says."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from hashlib import _Hash

_LONGEST = 1_024  # bytes of a field worth reading: two digests have 150

ALGORITHMS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
"""The algorithms that are still trusted (RFC 9530 section 7.2)."""


def wanted_algorithm(want: str | None, offered: Sequence[str]) -> str | None:
    """Pick an algorithm by the preferences of Want-Content-Digest or Want-Repr-Digest (RFC 9530 section 4).

    Args:
        want: the field's value; without one the first of `offered` is taken.
        offered: keys of `ALGORITHMS` in the server's order.

    Returns:
        One of `offered`; None if every one of them is weighted 0 or left out, or the field cannot be read.
    """
    if want is None:
        return offered[0]
    return _best_weighted(want, tuple(offered)) if len(want) <= _LONGEST else None


@lru_cache(maxsize=128)
def _best_weighted(want: str, offered: Sequence[str]) -> str | None:
    weights = {name: weight for name, weight in (_dictionary(want) or {}).items() if isinstance(weight, int)}
    liked = [name for name in offered if weights.get(name, 0) > 0]
    return max(liked, key=weights.__getitem__, default=None)


def digest_field(algorithm: str, digest: bytes) -> str:
    """The value of a digest field."""
    from http_sf import ser

    return str(ser({algorithm: (digest, {})}))


class Verifier:
    """A stage that lets a request body pass, and at its end holds it against its Content-Digest.

    Args:
        field: the value of Content-Digest.

    Raises:
        BadRequest: the field cannot be read, or names no algorithm of `ALGORITHMS`; from `finish`, the body is another.
    """

    __slots__ = ("_claimed", "_hashes")

    def __init__(self, field: str) -> None:
        claimed = _dictionary(field)
        if claimed is None:
            raise BadRequest("Content-Digest cannot be read; write sha-256=:base64:")
        self._claimed = {name: value for name, value in claimed.items() if name in ALGORITHMS}
        if not self._claimed:
            raise BadRequest(f"Content-Digest names none of {', '.join(ALGORITHMS)}")
        self._hashes: dict[str, _Hash] = {name: ALGORITHMS[name]() for name in self._claimed}

    def feed(self, data: bytes, /) -> bytes:
        for each in self._hashes.values():
            each.update(data)
        return data

    def flush(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        for name, each in self._hashes.items():
            if each.digest() != self._claimed[name]:
                raise BadRequest(f"the body is not the one Content-Digest describes by its {name}")
        return b""


class NoBody:
    """A stage that refuses the first byte of a request body: one without a length says only then that it is there."""

    __slots__ = ()

    needs = "The request needs a Content-Digest (RFC 9530)."

    def feed(self, data: bytes, /) -> bytes:
        raise BadRequest(self.needs)

    def flush(self) -> bytes:
        return b""

    finish = flush


def _dictionary(field: str) -> dict[str, object] | None:
    """Read a structured field of the type Dictionary, without its parameters; None if it is none."""
    from http_sf import StructuredFieldError, parse

    if len(field) > _LONGEST:
        return None
    try:
        members: Any = parse(field.encode("ascii"), tltype="dictionary")
    except (StructuredFieldError, UnicodeEncodeError):
        return None
    return {name: member[0] for name, member in members.items()}
