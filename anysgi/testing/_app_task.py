"""One call of an app in a task of its own, on asyncio or trio, that outlives whoever started it until it is stopped.

A client's request, a WebSocket and a lifespan begin in one call and end in another, often in another task: no task
group can span that, so the task is free and its error is kept for whoever asks.

GOING ──cancel()──> CANCELLED ──give_up()──> GIVEN_UP
"""

from __future__ import annotations

import asyncio
import ctypes
import math
import sys
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio

from ._bounded import Abandoned
from ._leaks import stack
from ._leftovers import expect, look_after, look_whether_it_ends
from ._let_go import GRACE
from ._throwing import calls_apps, guest
from ._watchdog import arrives, leaves
from ._within import Within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

GOING, CANCELLED, GIVEN_UP = "GOING", "CANCELLED", "GIVEN_UP"
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
        patience: seconds that it may block the loop while nobody waits for it; None for ever.

    Attributes:
        error: what the app raised, None so far.
        blocked: where the app was thrown out since it blocked the loop; empty so far.
    """

    __slots__ = (
        "__weakref__",
        "_call",
        "_cancel",
        "_coroutine",
        "_over",
        "_stage",
        "blocked",
        "error",
        "patience",
        "so_far",
        "steps",
    )

    def __init__(self, call: Callable[[], Awaitable[None]], so_far: Callable[[], str], patience: float | None) -> None:
        self.error: BaseException | None = None
        self.blocked, self.steps = "", 0
        self.patience = math.inf if patience is None else patience
        self.so_far = so_far
        self._call = call
        self._over = anyio.Event()
        self._stage = GOING
        self._coroutine = self._run()
        self._cancel = _spawn(self._drive)
        arrives(self)

    def cancel(self) -> None:
        """Cancel the app, once."""
        if self._stage is GOING:
            self._stage = CANCELLED
        self._cancel()

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

    async def _drive(self) -> None:
        guest.set(self)
        try:
            await self._until_given_up()
        finally:
            guest.set(None)
            if on_trio():
                leaves(self)
            else:
                await look_after(self, self._stage is GOING and is_cancelled())

    @types.coroutine
    def _until_given_up(self) -> Generator[Any, Any, None]:
        """Await the app; once it is given up throw it out, and leave it where it stands if it stays.

        A loop's end waits for all tasks, those too that swallow one cancellation after the other.
        """
        step: Callable[[Any], Any] = self._coroutine.send
        value: Any = None
        thrown_out = 0
        while thrown_out < _TIMES:
            self.steps += 1
            try:
                waits_for = step(value)
            except StopIteration:
                return
            if isinstance(value, BaseException) and self._stage is GOING and not on_trio() and is_cancelled():
                look_whether_it_ends()
            try:
                step, value = self._coroutine.send, (yield waits_for)
            except BaseException as error:
                step, value = self._coroutine.throw, error
            if self._stage is GIVEN_UP:
                step, value = self._coroutine.throw, Abandoned()
                thrown_out += 1
        # What swallows all this would spin when it is collected, for it swallows GeneratorExit as well.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._coroutine))
        if on_trio():  # which lets no task end inside of a nursery
            from ._on_trio import park

            yield from park()

    @property
    def over(self) -> bool:
        """Whether the app has ended."""
        return self._over.is_set()

    def stands_at(self) -> str:
        """The innermost calls the app waits in, or where it blocked the loop."""
        return f"a call that blocked the event loop:\n{self.blocked}" if self.blocked else stack(self._coroutine)

    async def ends(self, seconds: float | None) -> bool:
        """Wait for the app to end; whether it did in time, of itself."""
        return await self.is_over(seconds) and not self.blocked

    async def is_over(self, seconds: float | None) -> bool:
        """Wait for the app to end; whether it did, of itself or not."""
        with suppress(TimeoutError), Within(self, seconds):
            await self._over.wait()
        return self.over

    def raise_error(self) -> None:
        """Raise what the app raised, if it did and nobody was told yet."""
        error, self.error = self.error, None
        if error is not None:
            raise error

    async def stop(self) -> None:
        """Let the app end, cancel it if it does not, and give up one that swallows even that."""
        with anyio.CancelScope(shield=True):  # it takes no longer than that, even where the caller is cancelled
            if not await self.is_over(GRACE):
                self.cancel()
                if not await self.is_over(GRACE):
                    await self.give_up()

    async def give_up(self) -> None:
        """End an app that swallows its cancellation."""
        self._stage = GIVEN_UP
        for _ in range(_TURNS):
            if self.over:
                break
            self.cancel()
            await anyio.sleep(0)


calls_apps(AppTask._until_given_up)


def _spawn(run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
    """Start a task that belongs to nobody, and return what cancels it, which keeps it alive."""
    if on_trio():
        from ._on_trio import spawn

        return spawn(run)
    expect(asyncio.get_running_loop())
    return asyncio.create_task(run(), name="anysgi.testing: the app").cancel


def is_cancelled() -> bool:
    """Whether somebody cancelled the running task of asyncio."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def on_trio() -> bool:
    """Whether trio runs this."""
    return "trio" in sys.modules and sys.modules["trio"].lowlevel.in_trio_run()
