"""One call of an app in a task of its own, on asyncio or trio, that outlives whoever started it until it is stopped.

A client's request, a WebSocket and a lifespan begin in one call and end in another, often in another task: no task
group can span that, so the task is free and its error is kept for whoever asks.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import sys
import types
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import anyio

from ._bounded import Abandoned
from ._leaks import stack
from ._within import Within, guest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

GRACE = 1.0  # seconds an app has to end once its client left, and once more when it was cancelled
_TIMES = 10  # that an app is thrown out
_TURNS = 4 * _TIMES  # of the loop, which a cancellation takes two of


def longest_end() -> float:
    """Seconds that `AppTask.stop` takes at most."""
    return 2 * GRACE


class AppTask:
    """The app, running.

    Args:
        call: calls the app, and awaits it.
        so_far: what was said, for people.

    Attributes:
        error: what the app raised, None so far.
        blocked: where the app was thrown out since it blocked the loop; empty so far.
        cancel: a function that cancels the app, once.
    """

    __slots__ = ("_call", "_coroutine", "_given_up", "_over", "blocked", "cancel", "error", "so_far")

    def __init__(self, call: Callable[[], Awaitable[None]], so_far: Callable[[], str]) -> None:
        self.error: BaseException | None = None
        self.blocked = ""
        self.so_far = so_far
        self._call = call
        self._over = anyio.Event()
        self._given_up = False
        self._coroutine = self._run()
        self.cancel = _spawn(self._drive)

    async def _run(self) -> None:
        try:
            await self._call()
        except anyio.get_cancelled_exc_class():
            raise
        except Abandoned:
            pass  # by us
        except BaseException as error:
            self.error = error
        finally:
            self._over.set()

    async def _drive(self) -> bool:
        guest.set(self)
        return await self._until_given_up()

    @types.coroutine
    def _until_given_up(self) -> Generator[Any, Any, bool]:
        """Await the app; once it is given up throw it out, and leave it where it stands if it stays; whether it ended.

        A loop's end waits for all tasks, those too that swallow one cancellation after the other.
        """
        step: Callable[[Any], Any] = self._coroutine.send
        value: Any = None
        thrown_out = 0
        while thrown_out < _TIMES:
            try:
                waits_for = step(value)
            except StopIteration:
                return True
            try:
                step, value = self._coroutine.send, (yield waits_for)
            except BaseException as error:
                step, value = self._coroutine.throw, error
            if self._given_up:
                step, value = self._coroutine.throw, Abandoned()
                thrown_out += 1
        # What swallows all this would spin when it is collected, for it swallows GeneratorExit as well.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._coroutine))
        return False

    @property
    def over(self) -> bool:
        """Whether the app has ended."""
        return self._over.is_set()

    def stands_at(self) -> str:
        """The innermost calls the app waits in, or where it blocked the loop."""
        return f"a call that blocked the event loop:\n{self.blocked}" if self.blocked else stack(self._coroutine)

    async def ends(self, seconds: float | None) -> bool:
        """Wait for the app to end; whether it did in time, of itself."""
        try:
            with Within(self, seconds):
                await self._over.wait()
        except TimeoutError:
            return self.over and not self.blocked
        return self.over

    def raise_error(self) -> None:
        """Raise what the app raised, if it did and nobody was told yet."""
        error, self.error = self.error, None
        if error is not None:
            raise error

    async def stop(self) -> None:
        """Let the app end, cancel it if it does not, and give up one that swallows even that."""
        if not await self.ends(GRACE):
            self.cancel()
            if not await self.ends(GRACE):
                await self.give_up()

    async def give_up(self) -> None:
        """End an app that swallows its cancellation."""
        self._given_up = True
        for _ in range(_TURNS):
            if self.over:
                break
            self.cancel()
            await anyio.sleep(0)


def _spawn(run: Callable[[], Coroutine[Any, Any, bool]]) -> Callable[[], object]:
    """Start a task that belongs to nobody, and return what cancels it, which keeps it alive.

    Args:
        run: the task; returns whether it has left all the scopes it entered.
    """
    if not on_trio():
        return asyncio.create_task(run(), name="anysgi.testing: the app").cancel
    import trio

    limits = trio.CancelScope()

    async def limited() -> None:
        with ExitStack() as entered:
            entered.enter_context(limits)
            if not await run():
                entered.pop_all()  # trio lets no scope be left before those inside it, where the app still stands

    trio.lowlevel.spawn_system_task(limited, context=contextvars.copy_context())
    return limits.cancel


def on_trio() -> bool:
    """Whether trio runs this."""
    return "trio" in sys.modules and sys.modules["trio"].lowlevel.in_trio_run()
