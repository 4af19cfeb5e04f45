"""Bodies whose loss, doubling or reordering shows.

Seven different 64 KiB pieces go round and round: a piece sent twice, dropped or swapped changes the CRC.  The count of
bytes is checked on every request, the CRC on the untimed first one, since it costs as much as some adapters do.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator

KIB = 1024
MIB = 1024 * KIB
PIECE = 64 * KIB
HELLO = b"Hello, world!\n"
SMALL = b"data: one small event of a stream\n\n"

_CYCLE = tuple(bytes((i * 37 + j) % 251 for j in range(251)) * (PIECE // 251 + 1) for i in range(7))
PIECES = tuple(chunk[:PIECE] for chunk in _CYCLE)
# One flat copy for sources that are read in any size; the cycle is appended once more so that a slice never wraps.
FLAT = b"".join(PIECES)
FLAT_TWICE = FLAT + FLAT


def pieces(total: int) -> Iterator[bytes]:
    """`total` bytes (a multiple of 64 KiB) in 64 KiB pieces, without copying anything."""
    for index in range(total // PIECE):
        yield PIECES[index % len(PIECES)]


def flat(start: int, size: int) -> bytes:
    """Bytes `start` to `start + size` of the same endless body; `size` is capped so that one slice is enough."""
    offset = start % len(FLAT)
    return FLAT_TWICE[offset : offset + min(size, len(FLAT))]


@functools.cache
def crc_of(total: int) -> int:
    """The CRC-32 of the first `total` bytes."""
    crc = 0
    for piece in pieces(total):
        crc = zlib.crc32(piece, crc)
    return crc
