"""Bodies of a random length: what compression tells of a secret beside an attacker's words is lost in it (BREACH).

The padding is no content, and every decoder passes over it: gzip has it as a file name (RFC 1952 section 2.3.1), brotli
as a block of metadata (RFC 7932 section 9.2), zstd as a frame to skip (RFC 8878 section 3.1.2).
"""

from __future__ import annotations

from secrets import randbelow
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._encoders import Encoder

MOST = 256  # bytes of padding: more would not fit into one block of every coding


def padded(coding: str, encoder: Encoder, most: int) -> Encoder:
    """Make the result of `encoder` up to `most` bytes longer, by chance."""
    length = randbelow(most + 1)
    return _PADDED[coding](encoder, length) if length else encoder


class _Named:
    """gzip, with a file name: it follows the ten bytes of header that are the first output of every encoder."""

    __slots__ = ("_encoder", "_name")

    def __init__(self, encoder: Encoder, length: int) -> None:
        self._encoder = encoder
        self._name = b"a" * (length - 1) + b"\0"

    def feed(self, data: bytes, /) -> bytes:
        return self._named(self._encoder.feed(data))

    def flush(self) -> bytes:
        return self._named(self._encoder.flush())

    def finish(self) -> bytes:
        return self._named(self._encoder.finish())

    def _named(self, out: bytes) -> bytes:
        name = self._name
        if not (out and name):
            return out
        self._name = b""
        return b"%b\x08%b%b%b" % (out[:3], out[4:10], name, out[10:])


class _AtTheEnd:
    """An encoder that ends with `length` bytes of padding."""

    __slots__ = ("_encoder", "_length", "feed", "flush")

    def __init__(self, encoder: Encoder, length: int) -> None:
        self._encoder, self._length = encoder, length
        self.feed, self.flush = encoder.feed, encoder.flush


class _Metadata(_AtTheEnd):
    """brotli, with a block of metadata before its end, on the border of a byte."""

    __slots__ = ()

    def finish(self) -> bytes:
        head = 0b010110 | (self._length - 1) << 6  # not the last block, of no content, one byte of length
        flushed = self._encoder.flush()  # up to the border
        return b"%b%b%b%b" % (flushed, head.to_bytes(2, "little"), b"a" * self._length, self._encoder.finish())


class _Skipped(_AtTheEnd):
    """zstd, with a frame to skip after its own: who reads one frame alone has all of the body too."""

    __slots__ = ()

    def finish(self) -> bytes:
        size = self._length.to_bytes(4, "little")
        return b"%b\x50\x2a\x4d\x18%b%b" % (self._encoder.finish(), size, b"a" * self._length)


_PADDED: dict[str, Callable[[Encoder, int], Encoder]] = {"gzip": _Named, "br": _Metadata, "zstd": _Skipped}
