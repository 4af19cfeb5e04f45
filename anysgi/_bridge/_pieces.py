"""How chunks leave a window: alone if they are large, joined if they are small and piled up."""

from __future__ import annotations

PIECE = 65_536  # bytes: small chunks leave joined, up to this much
LEAST = 64  # bytes a chunk should have on average: a window holds no more chunks than that allows, however tiny


def most_chunks(window: int) -> int:
    """How many chunks a window of that many bytes may hold: keeping a tiny one costs more than its bytes."""
    return window // LEAST or 1


def next_piece(chunks: list[bytes], waiting: int, held: int) -> bytes:
    """Take the first chunk, and those behind it that fit into one piece with it; the maker may go on appending.

    Args:
        chunks: where they wait.
        waiting: how many do, at least one.
        held: how many bytes that is, or more: some may have been counted that are not there yet.
    """
    if waiting > 1 and held > PIECE:
        waiting = _fitting(chunks, waiting)
    if waiting == 1:
        return chunks.pop(0)
    piece = b"".join(chunks[:waiting])
    del chunks[:waiting]
    return piece


def _fitting(chunks: list[bytes], waiting: int) -> int:
    """How many of the first chunks fit into one piece; one at least."""
    size = len(chunks[0])
    for index in range(1, waiting):
        size += len(chunks[index])
        if size > PIECE:
            return index
    return waiting
