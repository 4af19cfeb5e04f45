"""Bytes made on a loop, taken on a thread, inside a byte-counted window.

    OPEN --end()--> ENDED

`break_()` says that the rest will never come.  `nudge()` wakes the thread with a word that is not bytes.
"""

from __future__ import annotations

from _thread import allocate_lock
from typing import TYPE_CHECKING

from ._pieces import most_chunks, next_piece
from ._to_loop import ENDED, OPEN, open_gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._port import Bell, Port


class ToThread:
    """One loop makes, one thread takes.

    Args:
        port: the way back into the loop.
        window: bytes the maker may be ahead of the taker before `room()` waits.

    Attributes:
        broken: what `break_` was given; None as long as it was not called.
    """

    __slots__ = (
        "_bell",
        "_chunks",
        "_gate",
        "_made",
        "_most",
        "_nudged",
        "_parked",
        "_port",
        "_stage",
        "_stalled",
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
        self.broken: Callable[[], BaseException] | None = None
        self._made = self._taken = 0
        self._parked = False  # the thread waits for news
        self._nudged = False  # there is news that is not bytes
        self._stalled = False  # the loop waits for room; lowered by the thread alone, as several coroutines may wait
        self._bell: Bell | None = None  # made when the loop first waits
        self._gate = allocate_lock()

    # On the loop

    def feed(self, chunk: bytes) -> bool:
        """Hand over a chunk, whether it fits or not; True if the window is full, and `room()` is where to wait."""
        chunks = self._chunks
        self._made = made = self._made + len(chunk)  # first: what waits is counted
        chunks.append(chunk)
        if self._parked:
            self._wake()
        return made - self._taken >= self._window or len(chunks) >= self._most

    def end(self, last: bytes = b"") -> None:
        """The bytes are complete, `last` included: one wake-up for both."""
        if last:
            self._made += len(last)
            self._chunks.append(last)
        self._stage = ENDED
        if self._parked:
            self._wake()

    @property
    def closed(self) -> bool:
        """Whether `end` was called."""
        return self._stage == ENDED

    def nudge(self) -> None:
        """Make the thread's `wait()` return although there are no bytes."""
        self._nudged = True
        if self._parked:
            self._wake()

    def _wake(self) -> None:
        self._parked = False
        open_gate(self._gate)

    @property
    def full(self) -> bool:
        return self._made - self._taken >= self._window or len(self._chunks) >= self._most

    @property
    def held(self) -> int:
        """Bytes handed over and not yet taken."""
        return self._made - self._taken

    async def room(self) -> None:
        """Wait until the window has room again, or `break_` made waiting pointless."""
        if self._bell is None:
            self._bell = self._port.bell()
        while self.full and self.broken is None:
            self._stalled = True
            if self.full and self.broken is None:
                await self._bell.wait()

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.ring()

    def break_(self, reason: Callable[[], BaseException]) -> None:
        """The rest will never come: a thread that has taken everything gets what `reason()` makes."""
        if self.broken is None:
            self.broken = reason
        self._wake()
        self._ring()

    # On the thread

    @property
    def ended(self) -> bool:
        """Whether everything was made and taken."""
        return self._stage == ENDED and not self._chunks

    def take(self) -> bytes:
        """Return the next bytes, small chunks that piled up joined; `b""` if there are none now.

        Raises:
            BaseException: what `break_` was given, once every chunk was taken.
        """
        chunks = self._chunks
        waiting = len(chunks)
        if not waiting:
            if self.broken is not None and self._stage != ENDED:
                raise self.broken()
            return b""
        piece = next_piece(chunks, waiting, self._made - self._taken)
        self._taken += len(piece)
        if self._stalled and not chunks:  # not before: the loop then fills a whole window, while this piece is used
            self._stalled = False
            self._port.post(self._ring)
        return piece

    def wait(self, timeout: float = -1) -> bool:
        """Wait for bytes, the end, `break_` or a nudge; False if `timeout` seconds passed first.

        It may return early, so look again.
        """
        gate = self._gate
        gate.acquire(blocking=False)
        self._parked = True
        news = self._chunks or self._stage == ENDED or self.broken is not None or self._nudged
        awake = True if news else gate.acquire(timeout=timeout)
        self._parked = False
        self._nudged = False
        return awake
