"""How chunks leave a window: alone if they are large, joined if they are small and piled up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import deque

PIECE = 65_536  # bytes: small chunks leave joined, up to this much
LEAST = 64  # bytes a chunk should have on average: a window holds no more chunks than that allows, however tiny


def most_chunks(window: int) -> int:
    """How many chunks a window of that many bytes may hold: keeping a tiny one costs more than its bytes."""
    return max(1, window // LEAST)


def next_piece(chunks: deque[bytes]) -> bytes:
    """Take the first chunk, and those behind it that fit into one piece with it; the maker may go on appending."""
    first = chunks.popleft()
    if not chunks:
        return first
    size = len(first) + len(chunks[0])
    if size > PIECE:
        return first
    parts = [first]
    while size <= PIECE:
        parts.append(chunks.popleft())
        if not chunks:
            break
        size += len(chunks[0])
    return b"".join(parts)
