"""asyncio and uvloop behind the few verbs the border needs.

Another event loop is another file with the same two classes.
"""

from __future__ import annotations

import asyncio
import logging
from _thread import get_ident
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from contextvars import Context
    from socket import socket

    from ._guests import Guest

log = logging.getLogger("anysgi")

_STUBBORN = 5.0  # seconds a cancelled task may take to end


class AsyncioPort:
    """The way into one event loop.

    `post`, `run` and `running` are for any thread; everything else is for the loop, which is also where a port is made.

    Attributes:
        guests: who is to leave before the loop ends.
    """

    __slots__ = ("_awake", "_calls", "_thread", "guests", "loop")

    Cancelled = asyncio.CancelledError
    family = "asyncio"  # of loops: what runs on one of them runs on all

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.guests: set[Guest] = set()
        self._thread = get_ident()
        self._calls: deque[Callable[[], object]] = deque()
        self._awake = False  # a drain is on its way: posts need not wake the loop again

    def is_here(self) -> bool:
        """Whether the caller runs on this loop."""
        # get_running_loop() asks the system for the process id each time; one thread runs one loop at a time.
        return get_ident() == self._thread and self.loop.is_running()

    def refuse_here(self) -> None:
        """Raise `RuntimeError` on the loop's own thread, where waiting for the loop would never end."""
        if self.is_here():
            raise RuntimeError(
                "an AsgiToWsgi was called on its own event loop's thread, which would wait for itself; "
                "call it from another thread: await anyio.to_thread.run_sync(wsgi_app, environ, start_response)"
            )

    @property
    def running(self) -> bool:
        """Whether there is a loop to run something on."""
        return self.loop.is_running()

    def run(self, work: Coroutine[Any, Any, None], timeout: float | None = None) -> None:
        """Run a coroutine on the loop and wait for it, from another thread.

        Raises:
            TimeoutError: it took longer than `timeout` seconds; it is cancelled.
            BaseException: what the coroutine raised.
        """
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise

    def post(self, call: Callable[[], object]) -> bool:
        """Run `call` on the loop soon; False if the loop is closed.  Posts that pile up share one wake-up."""
        self._calls.append(call)
        if not self._awake:
            self._awake = True
            try:
                self.loop.call_soon_threadsafe(self._drain)
            except RuntimeError:  # the loop is closed: nobody is left to hear it
                self._awake = False
                self._calls.clear()
                return False
        return True

    def close(self) -> None:
        """The loop has ended: run what it did not get round to; later posts are told."""
        self._drain()

    def _drain(self) -> None:
        self._awake = False  # first: a post from here on wakes the loop anew
        calls = self._calls
        try:
            for _ in range(len(calls)):
                calls.popleft()()
        except BaseException:
            self.loop.call_soon(self._drain)  # one that failed holds up nobody behind it
            raise

    def soon(self, call: Callable[[], object]) -> None:
        """Run `call` after the step that is running now."""
        self.loop.call_soon(call)

    def after(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        """Run `call` in `seconds`; the handle's `cancel()` calls it off."""
        return self.loop.call_later(seconds, call)

    def spawn(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> asyncio.Task[None]:
        """Start a task; the caller keeps the reference and cancels it."""
        return self.loop.create_task(work, context=context)

    async def checkpoint(self) -> None:
        """Let others run, and a cancellation that is due arrive."""
        await asyncio.sleep(0)

    async def stop(self, task: asyncio.Task[None]) -> None:
        """Cancel `task` and wait until it has ended; its own exception, if any, is dropped.

        One that will not be cancelled is left behind, and logged.
        """
        task.cancel()
        _, stubborn = await asyncio.wait([task], timeout=_STUBBORN)
        if stubborn:
            log.error("a task would not be cancelled for %.1f s and is left behind: %r", _STUBBORN, task)
        elif not task.cancelled():
            task.exception()

    async def join(self, task: asyncio.Task[None]) -> None:
        """Wait until `task` has ended; whoever waits may be cancelled without cancelling it."""
        await asyncio.wait([task])

    async def drain(self, tasks: Iterable[asyncio.Task[None]], timeout: float) -> None:
        """Give tasks `timeout` seconds to end, then cancel those that have not."""
        waiting = set(tasks)
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=timeout)
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=timeout)

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        """An async context manager that raises TimeoutError after `seconds`."""
        return asyncio.timeout(seconds)

    def bell(self) -> AsyncioBell:
        return AsyncioBell(self.loop)

    async def readable(self, sock: socket) -> None:
        """Wait until `sock` has something to read, or has ended; for one coroutine at a time."""
        await self._ready(sock.fileno(), self.loop.add_reader, self.loop.remove_reader)

    async def writable(self, sock: socket) -> None:
        """Wait until `sock` takes bytes, or is broken; for one coroutine at a time."""
        await self._ready(sock.fileno(), self.loop.add_writer, self.loop.remove_writer)

    async def _ready(self, fileno: int, watch: Callable[..., None], forget: Callable[[int], bool]) -> None:
        waiter = self.loop.create_future()
        watch(fileno, _set, waiter)
        try:
            await waiter
        finally:
            forget(fileno)


def _set(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class AsyncioBell:
    """Where coroutines wait until something changed; they look at the state themselves, as a ring carries no news."""

    __slots__ = ("_loop", "_waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiters: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except BaseException:  # cancelled: leave the queue, unless a ring emptied it meanwhile
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def ring(self) -> None:
        """Wake everyone who waits.  On the loop only."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
