"""So many at once: places that are taken and left, and for which tasks of an event loop may wait in line."""

from __future__ import annotations

from collections import defaultdict, deque
from threading import BoundedSemaphore, get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyio import Event


class Places:
    """A number of places, for threads and event loops alike.

    A place that is left goes to whoever waits longest on the loop of the thread it is left in, as an event of another
    loop could not be set from here.

    Args:
        number: how many.
    """

    __slots__ = ("_free", "_lines")

    def __init__(self, number: int) -> None:
        self._free = BoundedSemaphore(number)
        self._lines: dict[int, deque[Event]] = defaultdict(deque)

    def take(self) -> bool:
        """Take a place, if one is free."""
        return self._free.acquire(blocking=False)

    def leave(self) -> None:
        """Leave a place to the first in line, if anybody waits."""
        line = self._lines.get(get_ident())
        if line:
            line.popleft().set()
        else:
            self._free.release()

    async def wait(self, seconds: float, most: int) -> bool:
        """Wait in line for a place, unless `most` wait already; say whether it was taken."""
        from anyio import Event, move_on_after

        line = self._lines[get_ident()]
        if len(line) >= most:
            return False
        called = Event()
        line.append(called)
        try:
            with move_on_after(seconds):
                await called.wait()
        except BaseException:
            self._give_up(line, called)
            raise
        if not called.is_set():
            line.remove(called)
        return called.is_set()

    def _give_up(self, line: deque[Event], called: Event) -> None:
        """Leave the line, or the place that was given at the same moment."""
        if called.is_set():
            self.leave()
        else:
            line.remove(called)
