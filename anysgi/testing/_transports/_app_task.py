"""One call of an app in a task of its own, on asyncio or trio, that outlives whoever started it until it is stopped.

A client's request, a WebSocket and a lifespan begin in one call and end in another, often in another task: no task
group can span that, so the task is free and its error is kept for whoever asks.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GRACE = 1.0  # seconds an app has to end once its client left, and once more when it was cancelled
LONGEST_END = 2 * GRACE


class AppTask:
    """The app, running.

    Args:
        call: calls the app, and awaits it.

    Attributes:
        error: what the app raised, None so far.
    """

    __slots__ = ("_call", "_kept", "_limits", "_over", "error")

    def __init__(self, call: Callable[[], Awaitable[None]]) -> None:
        self.error: BaseException | None = None
        self._call = call
        self._over = anyio.Event()
        self._limits = anyio.CancelScope()
        self._kept = _spawn(self._run)

    async def _run(self) -> None:
        try:
            with self._limits:
                await self._call()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            self.error = error
        finally:
            self._over.set()

    @property
    def over(self) -> bool:
        """Whether the app has ended."""
        return self._over.is_set()

    async def ends(self, seconds: float | None) -> bool:
        """Wait for the app to end; whether it did in time."""
        with anyio.move_on_after(seconds):
            await self._over.wait()
        return self.over

    def raise_error(self) -> None:
        """Raise what the app raised, if it did and nobody was told yet."""
        error, self.error = self.error, None
        if error is not None:
            raise error

    async def stop(self) -> None:
        """Let the app end, cancel it if it does not, and leave one alone that swallows even that."""
        if not await self.ends(GRACE):
            self._limits.cancel()
            await self.ends(GRACE)


def _spawn(run: Callable[[], Any]) -> object:
    """Start a task that belongs to nobody; what is returned has to be kept."""
    if _on_trio():
        import trio

        return trio.lowlevel.spawn_system_task(run, context=contextvars.copy_context())
    return asyncio.create_task(run(), name="anysgi.testing: the app")


def _on_trio() -> bool:
    return "trio" in sys.modules and sys.modules["trio"].lowlevel.in_trio_run()
