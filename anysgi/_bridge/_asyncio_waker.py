"""How a thread wakes an asyncio loop: by a counter of the kernel's that the loop watches (Linux's eventfd).

`call_soon_threadsafe` goes through a pipe of the loop's own, which is read until an exception says that it is empty:
half as much again for a round trip.  It is left to systems that have nothing else, and to uvloop, whose own is better.
"""

from __future__ import annotations

import os
import weakref
from asyncio import SelectorEventLoop
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    Wake = Callable[[Callable[[], object]], object]

_wakers: weakref.WeakKeyDictionary[AbstractEventLoop, Waker] = weakref.WeakKeyDictionary()


def waker(loop: AbstractEventLoop) -> Wake:
    """Return what has a loop that is not closed run a call soon, from any thread; on the loop's own thread."""
    if not (isinstance(loop, SelectorEventLoop) and hasattr(os, "eventfd")):
        return loop.call_soon_threadsafe
    found = _wakers.get(loop)
    if found is None:
        try:
            found = _wakers[loop] = Waker(loop, os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC))
        except OSError:  # out of file descriptors
            return loop.call_soon_threadsafe
    return found.wake


class Waker:
    """The counter of one loop, shared by all who wake it; there for as long as one of them, or the loop, is."""

    __slots__ = ("_calls", "_fd")

    def __init__(self, loop: AbstractEventLoop, fd: int) -> None:
        self._calls: deque[Callable[[], object]] = deque()
        self._fd = fd
        # An empty context: the loop would keep that of the first request, and all that hangs on it.
        Context().run(loop.add_reader, self._fd, self._woken)

    def wake(self, call: Callable[[], object]) -> None:
        """Run `call` on the loop soon."""
        self._calls.append(call)
        os.eventfd_write(self._fd, 1)

    def _woken(self) -> None:
        calls = self._calls
        try:
            os.eventfd_read(self._fd)
            for _ in range(len(calls)):
                calls.popleft()()
        except BaseException:
            os.eventfd_write(self._fd, 1)  # who fails, or interrupts, holds up nobody behind it
            raise

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self._fd)
