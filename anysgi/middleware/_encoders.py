"""Content codings for responses: which one a client gets, and the objects that encode (RFC 9110 sections 8.4, 12.5.3).

An encoder has the shape of a body transform: `feed(data)` and `flush()` and `finish()` give bytes.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

IDENTITY = "identity"
_LONGEST = 512  # bytes of Accept-Encoding worth parsing: no client lists more, and longer ones would fill the cache


class Encoder(Protocol):
    """What encodes one body."""

    def feed(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...
    def finish(self) -> bytes: ...


def choose_coding(accept: str | None, offered: tuple[str, ...]) -> str:
    """Pick the coding a client likes best; among equals, the one offered first.

    Args:
        accept: the value of Accept-Encoding, None if there is none.
        offered: codings in the server's order of preference, `identity` not among them.

    Returns:
        One of `offered`, or `"identity"`: also where the client refuses everything, as a body it may not like is worth
        more than none (RFC 9110 section 12.5.3).
    """
    return _likeliest(accept, offered) if accept and len(accept) <= _LONGEST else IDENTITY


@lru_cache(maxsize=256)
def _likeliest(accept: str, offered: tuple[str, ...]) -> str:
    from werkzeug.http import parse_accept_header

    quality = {name.lower().removeprefix("x-"): q for name, q in reversed(list(parse_accept_header(accept)))}
    rest = quality.get("*", 0.0)
    best = max(offered, key=lambda name: quality.get(name, rest))  # max() keeps the first of equals
    liking = quality.get(best, rest)
    return best if liking > 0 and liking >= quality.get(IDENTITY, 0.0) else IDENTITY


class _Gzip:
    __slots__ = ("_object", "feed", "finish")

    def __init__(self, level: int) -> None:
        self._object = zlib.compressobj(level, zlib.DEFLATED, 31)
        self.feed: Callable[[bytes], bytes] = self._object.compress
        self.finish: Callable[[], bytes] = self._object.flush

    def flush(self) -> bytes:
        return self._object.flush(zlib.Z_SYNC_FLUSH)


class _Brotli:
    __slots__ = ("feed", "finish", "flush")

    def __init__(self, level: int) -> None:
        import brotli

        compressor = brotli.Compressor(quality=level)
        self.feed: Callable[[bytes], bytes] = compressor.process
        self.flush: Callable[[], bytes] = compressor.flush
        self.finish: Callable[[], bytes] = compressor.finish


class _Zstd:
    __slots__ = ("_object", "feed", "finish")

    def __init__(self, level: int) -> None:
        from ._zstd import zstd

        self._object = zstd.ZstdCompressor(level)
        self.feed: Callable[[bytes], bytes] = self._object.compress
        self.finish: Callable[[], bytes] = self._object.flush

    def flush(self) -> bytes:
        return self._object.flush(self._object.FLUSH_BLOCK)


ENCODERS: dict[str, Callable[[int], Encoder]] = {"zstd": _Zstd, "br": _Brotli, "gzip": _Gzip}
LEVELS = {"zstd": 3, "br": 4, "gzip": 6}
"""Levels for bodies made on the fly: within a few per cent of each other's time, as the codings' authors advise."""


@lru_cache(maxsize=32)
def usable_codings(names: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the codings whose library is installed.

    Raises:
        ValueError: a name that is no coding, or none that could be used.
    """
    unknown = [name for name in names if name not in ENCODERS]
    if unknown:
        raise ValueError(f"codings={names!r}: {unknown[0]!r} is not one of {', '.join(ENCODERS)}")
    usable = tuple(name for name in names if _installed(name))
    if not usable:
        raise ValueError(f"none of codings={names!r} can be used; write: pip install 'anysgi[compression]'")
    return usable


def usable_levels(codings: tuple[str, ...], levels: Mapping[str, int]) -> dict[str, int]:
    """Say at which level each coding is to be used.

    Raises:
        ValueError: a level that the coding does not have, or one for what is no coding.
    """
    for name in levels:
        if name not in ENCODERS:
            raise ValueError(f"levels={dict(levels)!r}: {name!r} is not one of {', '.join(ENCODERS)}")
    chosen = {name: levels.get(name, LEVELS[name]) for name in codings}
    for name, level in chosen.items():
        try:
            ENCODERS[name](level)
        except Exception as error:  # each library has an error class of its own
            raise ValueError(f"levels={dict(levels)!r}: {name} has no level {level!r} ({error})") from None
    return chosen


def _installed(name: str) -> bool:
    try:
        ENCODERS[name](LEVELS[name])
    except ImportError:
        return False
    return True
