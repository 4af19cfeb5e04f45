"""asyncio and uvloop behind the few verbs the border needs."""

from __future__ import annotations

import asyncio
import logging
import sys
from _thread import get_ident
from typing import TYPE_CHECKING, Any

from ._asyncio_bell import AsyncioBell
from ._asyncio_waker import waker
from ._port import Port

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from contextvars import Context
    from socket import socket

log = logging.getLogger("anysgi")

_STUBBORN = 5.0  # seconds a cancelled task may take to end


class AsyncioPort(Port):
    """The way into an asyncio or uvloop loop."""

    __slots__ = ("_thread", "_waker")

    loop: asyncio.AbstractEventLoop
    Cancelled = asyncio.CancelledError
    family = "asyncio"

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._thread = get_ident()  # under gevent a greenlet's
        self._waker = waker(loop)

    @property
    def running(self) -> bool:
        return self.loop.is_running()

    def is_here(self) -> bool:
        # What is documented raises where there is no loop; and under gevent all greenlets of a thread see its loop.
        return asyncio._get_running_loop() is self.loop and get_ident() == self._thread

    def _wake(self) -> None:
        if self.loop.is_closed():
            raise RuntimeError("the event loop is closed")
        self._waker(self._drain)

    def run(self, work: Coroutine[Any, Any, None], timeout: float | None = None) -> None:
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise

    def _next_turn(self, call: Callable[[], object]) -> None:
        self.loop.call_soon(call)

    def after(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, call)

    def spawn(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> asyncio.Task[None]:
        return self.loop.create_task(work, context=context)

    async def checkpoint(self) -> None:
        await asyncio.sleep(0)

    async def stop(self, task: asyncio.Task[None]) -> None:  # type: ignore[override]  # it spawned it
        task.cancel()
        _, stubborn = await asyncio.wait([task], timeout=_STUBBORN)
        if stubborn:
            log.error("a task would not be cancelled for %.1f s and is left behind: %r", _STUBBORN, task)
        elif not task.cancelled():
            task.exception()

    async def join(self, task: asyncio.Task[None]) -> None:  # type: ignore[override]  # it spawned it
        await asyncio.wait([task])

    async def drain(self, tasks: Iterable[asyncio.Task[None]], timeout: float) -> None:  # type: ignore[override]  # it spawned them
        waiting = set(tasks)
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=timeout)
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=timeout)

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        return asyncio.timeout(seconds)

    def bell(self) -> AsyncioBell:
        return AsyncioBell(self.loop)

    async def to_thread(self, work: Callable[[], object]) -> None:
        await asyncio.to_thread(work)

    def watch(self, sock: socket) -> AsyncioWatch:
        return AsyncioWatch(self.loop, sock.fileno())

    async def writable(self, sock: socket) -> None:
        waiter, fileno = self.loop.create_future(), sock.fileno()
        self.loop.add_writer(fileno, _set, waiter)
        try:
            await waiter
        finally:
            self.loop.remove_writer(fileno)


def _set(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class AsyncioWatch:
    """Stays registered from one wait to the next: in asyncio that costs more than reading does."""

    __slots__ = ("_bell", "_call", "_fileno", "_loop", "_registered", "_result")

    def __init__(self, loop: asyncio.AbstractEventLoop, fileno: int) -> None:
        self._loop = loop
        self._fileno = fileno
        self._registered = False
        self._bell = AsyncioBell(loop)
        self._call: Callable[[], bytes] | None = None  # while somebody waits
        self._result: bytes | OSError = b""

    async def readable(self, call: Callable[[], bytes]) -> bytes:
        self._call = call
        if not self._registered:
            self._registered = True
            self._loop.add_reader(self._fileno, self._ready)
        try:
            await self._bell.wait()
        finally:
            self._call = None
        result, self._result = self._result, b""  # an idle socket keeps nothing
        if isinstance(result, OSError):
            raise result
        return result

    def _ready(self) -> None:
        call, self._call = self._call, None
        if call is None:  # nobody waits: the loop would come back at once, again and again
            self.stop()
            return
        try:
            self._result = call()
        except OSError as error:
            self._result = error
        self._bell.ring()

    def look(self) -> None:
        if self._call is not None:
            self._ready()

    def stop(self) -> None:
        if self._registered:
            self._registered = False
            self._loop.remove_reader(self._fileno)


def host_loop(name: str, begin: Callable[[AsyncioPort, Callable[[], None]], None]) -> None:
    """Run a new loop on this thread until it is told to end.

    Args:
        name: `"asyncio"` or `"uvloop"`.
        begin: called on the loop with its port, and with what ends it (on the loop, too).
    """
    runner = asyncio.Runner(loop_factory=lambda: new_loop(name))
    try:
        port = AsyncioPort(runner.get_loop())
        over = asyncio.Event()
        port.soon(lambda: begin(port, over.set))
        if sys.version_info[:2] == (3, 12):
            port.soon(lambda: port.loop.run_in_executor(None, int))  # see _close
        while True:
            try:
                runner.run(_until(over))
                break
            except (SystemExit, KeyboardInterrupt) as error:  # of one app's task; it would end the loop of all
                log.critical("a task raised %r, which ends an event loop; it goes on without the task", error)
    finally:
        _close(runner)
    port.close()


def _close(runner: asyncio.Runner) -> None:
    """Cancel tasks, close generators and the executor.

    Python 3.12 starts no thread once the process has begun to end.  So a thread for `asyncio.to_thread` is made while
    it can be; the one in which asyncio would wait for its executor is not missed, as that has an exit hook of its own.
    """
    try:
        runner.close()
    except RuntimeError as error:
        if "interpreter shutdown" not in str(error):
            raise


async def _until(over: asyncio.Event) -> None:
    await over.wait()


def new_loop(name: str) -> asyncio.AbstractEventLoop:
    """Make a loop, `"asyncio"` or `"uvloop"`."""
    if name == "asyncio":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
