"""What the border asks of an event loop, and what all loops have in common: many posts, one wake-up.

A kind of loop is a file with a port and a bell: `_asyncio.py`, `_trio.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ._to_thread import ToThread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable
    from contextlib import AbstractAsyncContextManager
    from contextvars import Context
    from socket import socket

    from ._guests import Guest


class Task(Protocol):
    """What `spawn` returns; for the loop alone."""

    def cancel(self) -> object: ...
    def cancelling(self) -> int:
        """How often somebody asked for its cancellation; one that it brings upon itself does not count."""

    def done(self) -> bool: ...
    def cancelled(self) -> bool: ...
    def exception(self) -> BaseException | None: ...
    def add_done_callback(self, call: Callable[[Any], object], /) -> object: ...


class Timer(Protocol):
    """What `after` returns."""

    def cancel(self) -> object: ...


class Clock(Protocol):
    """What `timeout` gives."""

    def expired(self) -> bool: ...

    def reschedule(self, when: None) -> None:
        """Call it off."""


class Bell(Protocol):
    """Where coroutines wait until something changed; they look at the state themselves, as a ring carries no news."""

    def wait(self) -> Awaitable[None]: ...

    def ring(self) -> None:
        """Wake everyone who waits.  On the loop only."""


class Watch(Protocol):
    """An eye on one socket."""

    async def readable(self, call: Callable[[], bytes]) -> bytes:
        """Wait until the socket has something to read, or has ended; then return what `call()` returns, or raise it."""

    def look(self) -> None:
        """Have whoever waits call now, whether the socket has something or not.  On the loop only."""

    def stop(self) -> None:
        """Look no more.  Before the socket is closed, and while nobody waits."""


class Port(ABC):
    """The way into one event loop.

    `post`, `run` and `running` are for any thread; everything else is for the loop, which is also where a port is made.

    Attributes:
        loop: the loop, or what stands for it; for a dictionary's key.
        guests: who is to leave before the loop ends.
    """

    __slots__ = ("_awake", "_calls", "guests", "loop")

    Cancelled: ClassVar[type[BaseException]]
    family: ClassVar[str]  # of loops: what runs on one of them runs on all
    flow: ClassVar[type[ToThread]] = ToThread  # what leads from this loop to a thread
    inline: ClassVar[bool] = False  # the loop only turns while a thread waits for it

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.guests: set[Guest] = set()
        self._calls: deque[Callable[[], object]] = deque()
        self._awake = False  # a drain is on its way: posts need not wake the loop again

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether there is a loop to run something on."""

    @abstractmethod
    def is_here(self) -> bool:
        """Whether the caller runs on this loop."""

    def refuse_here(self) -> None:
        """Raise `RuntimeError` on the loop's own thread, where waiting for the loop would never end."""
        if self.is_here():
            raise RuntimeError(
                "an AsgiToWsgi was called on its own event loop's thread, which would wait for itself; "
                "call it from another thread: await anyio.to_thread.run_sync(wsgi_app, environ, start_response)"
            )

    def post(self, call: Callable[[], object]) -> bool:
        """Run `call` on the loop soon; False if the loop is closed.  Posts that pile up share one wake-up."""
        self._calls.append(call)
        if not self._awake:
            self._awake = True
            try:
                self._wake()
            except RuntimeError:  # the loop is closed: nobody is left to hear it
                self._awake = False
                self._calls.clear()
                return False
        return True

    def soon(self, call: Callable[[], object]) -> None:
        """Run `call` after the step that is running now; on the loop.  Threads that post meanwhile need not wake it."""
        self._calls.append(call)
        if not self._awake:
            self._awake = True
            self._next_turn(self._drain)

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
            self._next_turn(self._drain)  # one that failed holds up nobody behind it
            raise

    @abstractmethod
    def _wake(self) -> None:
        """Have `_drain` run on the loop; `RuntimeError` if it is closed."""

    @abstractmethod
    def run(self, work: Coroutine[Any, Any, None], timeout: float | None = None) -> None:
        """Run a coroutine on the loop and wait for it, from another thread.

        Raises:
            TimeoutError: it took longer than `timeout` seconds; it is cancelled.
            BaseException: what the coroutine raised.
        """

    @abstractmethod
    def _next_turn(self, call: Callable[[], object]) -> None:
        """Run `call` in the next turn of the loop; on the loop."""

    @abstractmethod
    def after(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Run `call` in `seconds`; the handle's `cancel()` calls it off."""

    @abstractmethod
    def spawn(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> Task:
        """Start a task; the caller keeps the reference and cancels it."""

    @abstractmethod
    async def checkpoint(self) -> None:
        """Let others run, and a cancellation that is due arrive."""

    @abstractmethod
    async def stop(self, task: Task) -> None:
        """Cancel `task` and wait until it has ended; its own exception, if any, is dropped.

        One that will not be cancelled is left behind, and logged.
        """

    @abstractmethod
    async def join(self, task: Task) -> None:
        """Wait until `task` has ended; whoever waits may be cancelled without cancelling it."""

    @abstractmethod
    async def drain(self, tasks: Iterable[Task], timeout: float) -> None:
        """Give tasks `timeout` seconds to end, then cancel those that have not."""

    @abstractmethod
    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[Clock]:
        """An async context manager that raises TimeoutError after `seconds`."""

    @abstractmethod
    def bell(self) -> Bell:
        """Make a bell of this loop."""

    @abstractmethod
    async def to_thread(self, work: Callable[[], object]) -> None:
        """Run a blocking call on a thread of its own and wait for it."""

    @abstractmethod
    def watch(self, sock: socket) -> Watch:
        """Be ready to wait for what comes on `sock`; for one coroutine at a time."""

    @abstractmethod
    async def writable(self, sock: socket) -> None:
        """Wait until `sock` takes bytes, or is broken; for one coroutine at a time."""
