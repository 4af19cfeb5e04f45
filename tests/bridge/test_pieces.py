"""How chunks leave a window."""

from __future__ import annotations

from anysgi._bridge._pieces import PIECE, next_piece


def test_chunks_that_fit_leave_joined_although_more_was_counted_than_is_there() -> None:
    """The maker counts a chunk before it adds it."""
    chunks = [b"a", b"b"]
    assert next_piece(chunks, 2, PIECE + 1) == b"ab"
    assert not chunks
