"""Who lives on a loop that is not theirs, and must leave before it ends."""

from __future__ import annotations

from typing import Protocol


class Guest(Protocol):
    """Leaves once: from another thread (`leave`), or on the loop itself (`depart`)."""

    def leave(self) -> None:
        """The process is ending: leave the loop; may block."""

    async def depart(self) -> None:
        """The loop's owner is shutting down, and waits."""
