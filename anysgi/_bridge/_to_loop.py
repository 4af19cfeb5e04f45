r"""Bytes made on a thread, taken on a loop, inside a byte-counted window.

    OPEN --end()--> ENDED --finish()--> FINISHED        the bytes are complete; the thread may still tidy up
      \--finish(error)--> FAILED                        no clean end: what was put comes out first, then the error

`break_()` comes from the other side: the taker is gone, and the maker finds out at its next `put()`.
"""

from __future__ import annotations

from _thread import allocate_lock
from typing import TYPE_CHECKING

from ._pieces import most_chunks, next_piece

if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable

    from ._port import Port

OPEN, ENDED, FINISHED, FAILED = range(4)


class ToLoop:
    """One thread makes, one loop takes.

    Args:
        port: the way into the loop.
        window: bytes the maker may be ahead of the taker before it has to wait.

    Attributes:
        broken: what `break_` was given; None as long as it was not called.
    """

    __slots__ = (
        "_bell",
        "_blocked",
        "_chunks",
        "_error",
        "_gate",
        "_made",
        "_most",
        "_out",
        "_parked",
        "_port",
        "_stage",
        "_taken",
        "_window",
        "broken",
    )

    def __init__(self, port: Port, window: int) -> None:
        self._port = port
        self._window = window
        self._most = most_chunks(window)
        self._chunks: list[bytes] = []
        self._stage = OPEN
        self._error: BaseException | None = None
        self.broken: Callable[[], BaseException] | None = None
        self._made = self._taken = 0
        self._out = 0  # bytes that the loop took but has not credited yet
        self._parked = False  # the loop waits for news; lowered by the thread alone, as several coroutines may wait
        self._blocked = False  # the thread waits for room
        self._bell = port.bell()
        self._gate = allocate_lock()

    # On the thread

    def put(self, chunk: bytes, *, last: bool = False) -> None:
        """Hand over a chunk; wait while it does not fit into the window.

        Raises:
            BaseException: whatever `break_` was given: the taker is gone.
        """
        size = len(chunk)
        if self._made - self._taken + size > self._window or len(self._chunks) >= self._most:
            self._wait_for_room(size)
        if self.broken is not None:
            raise self.broken()
        self._made += size
        self._chunks.append(chunk)
        if last:
            self._stage = ENDED
        if self._parked:
            self._notify()

    def _wait_for_room(self, size: int) -> None:
        gate = self._gate
        gate.acquire(blocking=False)
        while self.broken is None and not self._fits(size):
            self._blocked = True
            if self.broken is None and not self._fits(size):
                gate.acquire()
            self._blocked = False

    def _fits(self, size: int) -> bool:
        ahead, waiting = self._made - self._taken, len(self._chunks)
        return (ahead + size <= self._window and waiting < self._most) or not (ahead or waiting)

    def put_all(self, body: bytes) -> None:
        """Hand over the whole body; the loop hears of it from `finish`, which has to follow at once."""
        self._made += len(body)
        self._chunks.append(body)
        self._stage = ENDED

    def put_aside(self) -> None:
        """Have the loop take one byte, for something it sends in its place, and wait until that has left."""
        self.put(b"\0")
        self._wait_for_room(self._window + 1)

    def end(self) -> None:
        """The bytes are complete."""
        self._stage = ENDED
        self._notify()

    def finish(self, error: BaseException | None = None) -> None:
        """The thread is through.  Unless `end` came first the bytes are not complete, and `error` says why."""
        self._error = error
        self._stage = FINISHED if self._stage == ENDED else FAILED
        self._notify()

    def _notify(self) -> None:
        if self._parked:
            self._parked = False
            self._port.post(self._bell.ring)

    # On the loop

    @property
    def ready(self) -> bool:
        """Whether `take` would return, or raise, at once."""
        return bool(self._chunks) or self._stage != OPEN or self.broken is not None

    @property
    def ended(self) -> bool:
        return self._stage in (ENDED, FINISHED)

    @property
    def fed(self) -> bool:
        """Whether `take` would return at once."""
        return self.broken is None and (bool(self._chunks) or self._stage in (ENDED, FINISHED))

    @property
    def done(self) -> bool:
        """Whether the thread is through."""
        return self._stage in (FINISHED, FAILED)

    @property
    def clean(self) -> bool:
        """Whether the thread is through, and left no error."""
        return self._stage in (FINISHED, FAILED) and self._error is None

    def taken(self) -> tuple[bytes, bool] | None:
        """Take what is there, as `take` does; None if nothing is.

        Raises:
            BaseException: what `break_` was given, at once, or `finish`, after the last chunk.
        """
        if self.broken is not None:
            raise self.broken()
        stage = self._stage  # before the chunks: once it is ENDED no chunk is added
        waiting = len(self._chunks)
        if waiting:
            body = next_piece(self._chunks, waiting, self._made - self._taken)
            self._out += len(body)
            return body, stage in (OPEN, FAILED) or bool(self._chunks)
        if stage == OPEN:
            return None
        if stage == FAILED:
            raise self._take_error() or RuntimeError("the thread ended without a response")
        return b"", False

    async def take(self) -> tuple[bytes, bool]:
        """Wait for bytes; return them, and whether more will come.  Cancelling the wait loses nothing.

        Raises:
            BaseException: what `break_` was given, at once, or `finish`, after the last chunk.
        """
        while (taken := self.taken()) is None:
            self._parked = True
            if not self.ready:
                await self._bell.wait()
        return taken

    async def news(self) -> None:
        """Wait until `take` would return at once, or until another who waits has been quicker."""
        self._parked = True
        if not self.ready:
            await self._bell.wait()

    async def gone(self) -> None:
        """Wait until the flow is broken."""
        while self.broken is None:
            await self._bell.wait()

    def credit(self) -> None:
        """What was taken has left: make room, and wake the thread once half the window is free."""
        self._taken += self._out
        self._out = 0
        if self._blocked and self._made - self._taken <= self._window // 2:
            open_gate(self._gate)

    async def finished(self) -> None:
        """Wait until the thread is through; raise the error it left behind, if any."""
        while not self.done:
            self._parked = True
            if not self.done:
                await self._bell.wait()
        error = self._take_error()
        if error is not None:
            raise error

    def _take_error(self) -> BaseException | None:
        error, self._error = self._error, None  # its traceback keeps the app's frames alive: hold it no longer
        return error

    def break_(self, reason: Callable[[], BaseException]) -> None:
        """The taker is gone: the next `put` and `take` raise what `reason()` makes.  The first reason stays."""
        if self.broken is None:
            self.broken = reason
        open_gate(self._gate)
        self._bell.ring()


def open_gate(gate: LockType) -> None:
    """Let the thread through that waits for it; several may open it at once."""
    if gate.locked():
        try:
            gate.release()
        except RuntimeError:  # somebody opened it first
            pass
