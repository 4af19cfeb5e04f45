"""A bell on asyncio and uvloop.

A ring from outside any task resumes a lone waiter on the spot.  A future would resume it in the next turn of the loop,
and between two turns the loop gives up the GIL: that alone costs more than all the rest of a small request.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context


class AsyncioBell:
    """A bell of waits: cheaper than `asyncio.Event`, which has a state as well."""

    __slots__ = ("_loop", "_waits")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waits: list[_Wait] = []

    def wait(self) -> _Wait:
        return _Wait(self._loop, self._waits)

    def ring(self) -> None:
        waits = self._waits
        if len(waits) == 1 and asyncio.current_task(self._loop) is None:
            waits.pop().resume()
            return
        while waits:
            waits.pop(0).resume_soon()


class _Wait:
    """One task's wait, in the shape of a future (`asyncio.isfuture` goes by the attribute)."""

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_context", "_loop", "_resume", "_waits")

    _resume: Callable[[_Wait], object]
    _context: Context

    def __init__(self, loop: asyncio.AbstractEventLoop, waits: list[_Wait]) -> None:
        self._loop = loop
        self._waits = waits
        self._cancelled: asyncio.CancelledError | None = None

    def __await__(self) -> Generator[_Wait, None, None]:
        self._asyncio_future_blocking = True
        self._waits.append(self)
        try:
            yield self
        except GeneratorExit:  # the task was thrown away, perhaps between a ring and its step
            if self in self._waits:
                self._waits.remove(self)
            raise

    def resume(self) -> None:
        """Run the task's next step now; not inside another task's."""
        self._context.run(self._resume, self)

    def resume_soon(self) -> None:
        """Run the task's next step in the next turn of the loop."""
        self._loop.call_soon(self._resume, self, context=self._context)

    # For the task

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(self, resume: Callable[[_Wait], object], *, context: Context) -> None:
        self._resume, self._context = resume, context

    def result(self) -> None:
        if self._cancelled is not None:
            raise self._cancelled

    def cancel(self, msg: object = None) -> bool:
        if self not in self._waits:  # a ring was quicker
            return False
        self._waits.remove(self)
        self._cancelled = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self.resume_soon()
        return True
