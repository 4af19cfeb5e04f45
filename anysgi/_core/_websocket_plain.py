"""Plain frames: a whole message each, nothing reserved, as nearly all of them are (RFC 6455 section 5.2).

The one thing that is several times quicker done here than asked of wsproto, which gets all the others.
"""

from __future__ import annotations

from struct import pack
from typing import NamedTuple

TEXT, BINARY = 0x1, 0x2
_FIN, _MASKED = 0x80, 0x80
PLAIN = (_FIN | TEXT, _FIN | BINARY)
KNOWN = frozenset([0x0, TEXT, BINARY, _FIN, *PLAIN, 0x88, 0x89, 0x8A])
"""First bytes of frames that are not broken already."""


class Head(NamedTuple):
    """Where a frame's parts are."""

    short: int
    """The second byte, without the mask's bit: the length, or 126 or 127 if that is in the bytes behind it."""
    start: int
    """Where the payload begins."""
    end: int
    """Where the frame ends."""
    masked: bool


def head_at(data: bytes, at: int) -> Head | None:
    """Read the head of the frame that begins at `at`; None if a part of it is missing."""
    if len(data) < at + 2:
        return None
    second = data[at + 1]
    short = size = second & 0x7F
    start = at + 2
    if short > 125:
        start += 2 if short == 126 else 8
        size = int.from_bytes(data[at + 2 : start], "big")
    masked = second >= _MASKED
    start += 4 * masked
    return Head(short, start, start + size, masked) if start <= len(data) else None


def payload_of(data: bytes, head: Head) -> bytes | None:
    """Return a frame's payload, unmasked; None if it is not all there, or its length takes more bytes than it needs."""
    _, start, end, masked = head
    size = end - start
    if end > len(data) or head.short != min(size, 126 if size < 65_536 else 127):
        return None
    payload = data[start:end]
    mask = data[start - 4 : start] if masked else b""
    return payload if mask in (b"", b"\0\0\0\0") else _unmasked(payload, mask)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    """RFC 6455 section 5.3, all bytes at once as one large number."""
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def plain_frame(opcode: int, payload: bytes, *, masked: bool) -> bytes:
    """Frame a whole message.

    The mask is zero, which changes nothing.  A client masks to protect what lies between it and the server (section
    10.3); where we are the client, that is a socket pair.
    """
    size, mask = len(payload), _MASKED if masked else 0
    if size < 126:
        head = bytes((_FIN | opcode, mask | size))
    elif size < 65_536:
        head = pack("!BBH", _FIN | opcode, mask | 126, size)
    else:
        head = pack("!BBQ", _FIN | opcode, mask | 127, size)
    return head + (b"\0\0\0\0" if masked else b"") + payload
