"""Content codings of request bodies, decoded inside bounds (RFC 9110 section 8.4).

A few hundred bytes may stand for gigabytes, so every call says how many bytes of output it would take, and one more is
the end.  Concatenated members (RFC 1952 section 2.2) and frames (RFC 8878 section 3) are one body.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from ..exceptions import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable


_ZSTD_WINDOW = 23  # 8 MiB, as a power of two
_FREE = 65_536  # bytes of output that no ratio bounds
_SLICE = 16_384  # bytes given to a member at once: it copies what follows its end, and a body may be all ends


class _Member(Protocol):
    """What decodes one member: the shape `zlib.decompressobj` and `ZstdDecompressor` share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Brotli:
    """Brotli's decompressor in that shape; it has no members."""

    __slots__ = ("_object",)

    unused_data = b""

    def __init__(self) -> None:
        import brotli

        self._object = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._object.is_finished())

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        out: bytes = self._object.process(data, output_buffer_limit=max_length)
        return out


def _zstd() -> _Member:
    from ._zstd import zstd

    # A frame says how much memory its decoder needs; RFC 9659 bounds that for content codings.
    member: _Member = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW})
    return member


MEMBERS: dict[str, Callable[[], _Member]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "x-gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(15),
    "br": _Brotli,
    "zstd": _zstd,
}
"""What begins a member of each coding."""


class Decoder:
    """A body transform that decodes one request body.

    Args:
        coding: a key of `MEMBERS`.
        room: bytes of output at most.
        ratio: bytes of output that a byte of input may stand for, beyond the first 64 KiB of output: small bodies
            compress too well to be judged by it.

    Raises:
        BadRequest: from `feed` and `finish`: 400 for broken or truncated data, 413 for more than the bounds allow.
    """

    __slots__ = ("_begin", "_made", "_member", "_ratio", "_room", "_seen")

    def __init__(self, coding: str, *, room: int, ratio: float) -> None:
        self._begin = MEMBERS[coding]
        self._member = self._begin()
        self._room, self._ratio = room, ratio
        self._seen = self._made = 0

    def feed(self, data: bytes) -> bytes:
        self._seen += len(data)
        most = int(min(self._room, max(_FREE, self._seen * self._ratio))) - self._made
        try:
            out = self._decode(data, most + 1)  # a byte more than allowed tells that more would come
        except Exception as error:  # each library has an error class of its own, derived from Exception
            raise BadRequest(f"the body cannot be decoded: {error}") from None
        if len(out) > most:
            raise BadRequest(f"the decoded body is larger than allowed: over {self._made + most} bytes", 413)
        self._made += len(out)
        return out

    def _decode(self, data: bytes, most: int) -> bytes:
        parts, left = [], most
        for start in range(0, len(data), _SLICE):
            rest = data[start : start + _SLICE]
            while rest and left > 0:
                if self._member.eof:
                    self._member = self._begin()
                parts.append(self._member.decompress(rest, left))
                left -= len(parts[-1])
                rest = self._member.unused_data
        return b"".join(parts)

    def flush(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        if self._seen and not self._member.eof:
            raise BadRequest("the body ends in the middle of its coding")
        return b""


@lru_cache(maxsize=32)
def usable_members(names: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the codings whose library is installed.

    Raises:
        ValueError: a name that is no coding, or none that could be used.
    """
    for name in names:
        if name not in MEMBERS:
            raise ValueError(f"codings={names!r}: {name!r} is not one of {', '.join(MEMBERS)}")
    usable = tuple(name for name in names if _installed(name))
    if names and not usable:
        raise ValueError(f"none of codings={names!r} can be used; write: pip install 'anysgi[compression]'")
    return usable


def _installed(name: str) -> bool:
    try:
        MEMBERS[name]()
    except ImportError:
        return False
    return True
