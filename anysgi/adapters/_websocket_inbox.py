"""Messages a client has sent and an app has not asked for, inside a counted window; all on the loop."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .._bridge._pieces import most_chunks

if TYPE_CHECKING:
    from .._bridge._port import Port
    from .._core._websocket_messages import Close


class Inbox:
    """What comes out in order: every message, then how it ended.

    Args:
        port: the loop.
        window: bytes that may wait before whoever fills it has to.

    Attributes:
        end: how it ended; None as long as more may come.
    """

    __slots__ = ("_held", "_items", "_most", "_news", "_open", "_room", "_window", "end")

    def __init__(self, port: Port, window: int) -> None:
        self._window = window
        self._most = most_chunks(window)
        self._items: deque[str | bytes] = deque()
        self._held = 0  # bytes in it
        self._news = port.bell()
        self._room = port.bell()
        self._open = True
        self.end: Close | None = None

    async def put(self, item: str | bytes) -> None:
        """Add a message; return once there is room for another, or nobody wants one."""
        items = self._items
        items.append(item)
        self._held += _size(item)
        self._news.ring()
        while (self._held >= self._window or len(items) >= self._most) and self._open:
            await self._room.wait()

    async def take(self) -> str | bytes | Close:
        """Wait for what comes next; cancelling the wait loses nothing."""
        while not self._items:
            if self.end is not None:
                return self.end
            await self._news.wait()
        item = self._items.popleft()
        self._held -= _size(item)
        self._room.ring()
        return item

    def shut(self) -> None:
        """Nobody wants more: what is put from here on waits for no room."""
        self._open = False
        self._room.ring()

    def finish(self, end: Close) -> None:
        """Nothing more will be put."""
        self.end = end
        self._news.ring()


def _size(item: str | bytes) -> int:
    """Bytes it has on the wire; asking whether a text is ASCII costs nothing, as Python has noted it."""
    return len(item) if isinstance(item, bytes) or item.isascii() else len(item.encode())
