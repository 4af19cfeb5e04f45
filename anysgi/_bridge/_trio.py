"""trio behind the few verbs the border needs.

trio has no tasks without a nursery but its system tasks: those are ours, so nothing may escape from them.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from ._port import Port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
    from contextvars import Context
    from socket import socket

    from ._port import Task

log = logging.getLogger("anysgi")

_STUBBORN = 5.0  # seconds a cancelled task may take to end


class TrioPort(Port):
    """The way into a trio run."""

    __slots__ = ("_ended",)

    loop: trio.lowlevel.TrioToken
    Cancelled = trio.Cancelled
    family = "trio"

    def __init__(self, loop: trio.lowlevel.TrioToken) -> None:
        super().__init__(loop)
        self._ended = False

    @property
    def running(self) -> bool:
        if not self._ended:
            try:
                self.loop.run_sync_soon(_nothing, idempotent=True)
            except trio.RunFinishedError:
                self._ended = True
        return not self._ended

    def is_here(self) -> bool:
        return trio.lowlevel.in_trio_run() and trio.lowlevel.current_trio_token() is self.loop

    def _wake(self) -> None:
        self.loop.run_sync_soon(self._drain)

    def run(self, work: Coroutine[Any, Any, None], timeout: float | None = None) -> None:
        async def call() -> None:
            with trio.fail_after(float("inf") if timeout is None else timeout):
                await work

        try:
            trio.from_thread.run(call, trio_token=self.loop)
        except trio.TooSlowError:
            raise TimeoutError from None
        finally:
            work.close()

    def _next_turn(self, call: Callable[[], object]) -> None:
        self.loop.run_sync_soon(call)

    def after(self, seconds: float, call: Callable[[], object]) -> TrioTask:
        async def wait() -> None:
            await trio.sleep(seconds)
            call()

        return self.spawn(wait())

    def spawn(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> TrioTask:
        return TrioTask(work, context)

    async def checkpoint(self) -> None:
        await trio.lowlevel.checkpoint()

    async def stop(self, task: Task) -> None:
        task.cancel()
        with trio.CancelScope(shield=True), trio.move_on_after(_STUBBORN):
            await self.join(task)
        if not task.done():
            log.error("a task would not be cancelled for %.1f s and is left behind: %r", _STUBBORN, task)

    async def join(self, task: Task) -> None:
        while not task.done():
            lot = trio.lowlevel.ParkingLot()
            task.add_done_callback(partial(_unpark, lot))
            await lot.park()

    async def drain(self, tasks: Iterable[Task], timeout: float) -> None:
        waiting = list(tasks)
        with trio.move_on_after(timeout):
            for task in waiting:
                await self.join(task)
            return
        for task in waiting:
            task.cancel()
        with trio.move_on_after(timeout):
            for task in waiting:
                await self.join(task)

    @asynccontextmanager
    async def timeout(self, seconds: float | None) -> AsyncIterator[TrioClock]:
        clock = TrioClock(float("inf") if seconds is None else seconds)
        with clock.scope:
            yield clock
        if clock.expired():
            raise TimeoutError

    def bell(self) -> TrioBell:
        return TrioBell()

    async def to_thread(self, work: Callable[[], object]) -> None:
        await trio.to_thread.run_sync(work)

    def watch(self, sock: socket) -> TrioWatch:
        return TrioWatch(sock)

    async def writable(self, sock: socket) -> None:
        with suppress(trio.ClosedResourceError):  # `TrioWatch.look` ends all waits
            await trio.lowlevel.wait_writable(sock)


class TrioWatch:
    __slots__ = ("_sock",)

    def __init__(self, sock: socket) -> None:
        self._sock = sock

    async def readable(self, call: Callable[[], bytes]) -> bytes:
        with suppress(trio.ClosedResourceError):
            await trio.lowlevel.wait_readable(self._sock)
        return call()

    def look(self) -> None:
        trio.lowlevel.notify_closing(self._sock)  # trio's one way of ending a wait for a socket, which stays open here

    def stop(self) -> None:
        """Nothing is registered in between."""


class TrioTask:
    """A system task that keeps to itself what it raises.

    Args:
        work: what to run.
        context: what to run it in; None for a copy of the current one.
    """

    __slots__ = ("__weakref__", "_calls", "_error", "_over", "_scope")

    def __init__(self, work: Coroutine[Any, Any, None], context: Context | None) -> None:
        self._scope = trio.CancelScope()
        self._over = False
        self._error: BaseException | None = None
        self._calls: list[Callable[[Any], object]] = []
        trio.lowlevel.spawn_system_task(self._run, work, name=getattr(work, "__qualname__", None), context=context)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            with self._scope:
                await work
        except trio.Cancelled:  # of the whole run
            raise
        except BaseException as error:
            self._error = error
            log.debug("a task failed", exc_info=error)
        finally:
            work.close()  # one that was cancelled before its first step
            self._over = True
            calls, self._calls = self._calls, []
            for call in calls:
                call(self)

    def cancel(self) -> None:
        self._scope.cancel()

    def cancelling(self) -> int:
        return 1  # for whoever has seen a `Cancelled`: trio's come from outside, or are caught where they began

    def done(self) -> bool:
        return self._over

    def cancelled(self) -> bool:
        return self._scope.cancelled_caught

    def exception(self) -> BaseException | None:
        return self._error

    def add_done_callback(self, call: Callable[[Any], object], /) -> None:
        if self._over:
            call(self)
        else:
            self._calls.append(call)


class TrioClock:
    """A deadline that began when it was made."""

    __slots__ = ("scope",)

    def __init__(self, seconds: float) -> None:
        self.scope = trio.move_on_after(seconds)

    def reschedule(self, when: None) -> None:
        self.scope.deadline = float("inf")

    def expired(self) -> bool:
        return self.scope.cancelled_caught


class TrioBell:
    """A bell that is a parking lot."""

    __slots__ = ("_lot",)

    def __init__(self) -> None:
        self._lot = trio.lowlevel.ParkingLot()

    async def wait(self) -> None:
        await self._lot.park()

    def ring(self) -> None:
        self._lot.unpark_all()


def host_loop(name: str, begin: Callable[[TrioPort, Callable[[], None]], None]) -> None:
    """Run trio on this thread until it is told to end; arguments as for asyncio's."""
    port = trio.run(_host, begin)
    port.close()


async def _host(begin: Callable[[TrioPort, Callable[[], None]], None]) -> TrioPort:
    port, over = TrioPort(trio.lowlevel.current_trio_token()), trio.Event()
    begin(port, over.set)
    await over.wait()
    return port


def _nothing() -> None:
    pass


def _unpark(lot: trio.lowlevel.ParkingLot, _: object) -> None:
    lot.unpark_all()
