"""The time of a scenario: a client that pauses for a minute costs no minute.

`ScenarioLoop` is an event loop whose clock is moved on while the client pauses, as soon as nothing else is left to do;
the app's own timers fire on the way, in order.  On a loop of somebody else time cannot be moved: there a pause lets
whatever is ready run.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ._record import Record

_BREATH = 0.001  # seconds other threads get before time moves on
_ROUNDS = 20


class _Selector(selectors.DefaultSelector):
    """Waits for files as any selector does; while `skipping`, it moves the clock instead of waiting for a timer."""

    skipping = 0
    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout and timeout > 0 and self.skipping:
            ready = super().select(min(timeout, _BREATH))
            if not ready:
                self.skipped += timeout
            return ready
        return super().select(timeout)


class ScenarioLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock that can be moved on.

    Args:
        skip_sleeps: move it whenever nothing is left to do, so that the app's own sleeps cost nothing either.
    """

    def __init__(self, skip_sleeps: bool) -> None:
        self.selector = _Selector()
        self.selector.skipping = int(skip_sleeps)
        super().__init__(self.selector)

    def time(self) -> float:
        return time.monotonic() + self.selector.skipped


class SkippingClock:
    """The peer's time on a `ScenarioLoop`."""

    def __init__(self, loop: ScenarioLoop, record: Record) -> None:
        self._loop, self._selector, self._record = loop, loop.selector, record

    def now(self) -> float:
        return self._loop.time()

    async def wait(self, awaitable: Awaitable[object]) -> None:
        self._selector.skipping += 1
        try:
            await awaitable
        finally:
            self._selector.skipping -= 1
            self._record.skipped = self._selector.skipped

    async def pass_(self, seconds: float) -> None:
        await self.wait(asyncio.sleep(seconds))


class PatientClock:
    """The peer's time on a loop that is not ours."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def now(self) -> float:
        return self._record.skipped

    async def wait(self, awaitable: Awaitable[object]) -> None:
        await awaitable

    async def pass_(self, seconds: float) -> None:
        self._record.skipped += seconds
        for _ in range(_ROUNDS):
            await anyio.sleep(0)
