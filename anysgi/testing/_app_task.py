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

from ._leaks import stack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

GRACE = 1.0  # seconds an app has to end once its client left, and once more when it was cancelled


def longest_end() -> float:
    """Seconds that `AppTask.stop` takes at most."""
    return 2 * GRACE


class AppTask:
    """The app, running.

    Args:
        call: calls the app, and awaits it.

    Attributes:
        error: what the app raised, None so far.
        cancel: a function that cancels the app, once.
    """

    __slots__ = ("_call", "_coroutine", "_over", "cancel", "error")

    def __init__(self, call: Callable[[], Awaitable[None]]) -> None:
        self.error: BaseException | None = None
        self._call = call
        self._over = anyio.Event()
        self._coroutine, self.cancel = _spawn(self._run)

    async def _run(self) -> None:
        try:
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

    def stands_at(self) -> str:
        """The innermost calls the app waits in."""
        return stack(self._coroutine)

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
            self.cancel()
            await self.ends(GRACE)


def _spawn(run: Callable[[], Coroutine[Any, Any, None]]) -> tuple[Any, Callable[[], object]]:
    """Start a task that belongs to nobody: its coroutine, and what cancels it, which keeps it alive."""
    if not on_trio():
        task = asyncio.create_task(run(), name="anysgi.testing: the app")
        return task.get_coro(), task.cancel
    import trio

    limits = trio.CancelScope()

    async def limited() -> None:
        with limits:
            await run()

    spawned = trio.lowlevel.spawn_system_task(limited, context=contextvars.copy_context())
    return spawned.coro, limits.cancel


def on_trio() -> bool:
    """Whether trio runs this."""
    return "trio" in sys.modules and sys.modules["trio"].lowlevel.in_trio_run()
