"""A loop on the very thread that waits for it: it turns while that has nothing else to do, and stands still otherwise.

Whoever makes it turn, any news stops it, and everybody who waits looks again; so a thread that shuts it down may take
turns with the one that owns it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

from ._asyncio import AsyncioPort, new_loop
from ._to_loop import ENDED
from ._to_thread import ToThread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

log = logging.getLogger("anysgi")


class InlineToThread(ToThread):
    """The flow whose taker makes the loop turn while it waits."""

    __slots__ = ()

    _port: InlinePort

    def wait(self, timeout: float = -1) -> bool:
        self._parked = not (self._chunks or self._stage == ENDED or self.broken is not None or self._nudged)
        if self._parked:
            self._port.turn(self._asleep, timeout)
        awake = not self._parked
        self._parked = self._nudged = False
        return awake

    def _asleep(self) -> bool:
        return self._parked

    def _wake(self) -> None:
        self._parked = False
        self._port.loop.stop()


class InlinePort(AsyncioPort):
    """The way into a loop without a thread.

    Args:
        name: `"asyncio"` or `"uvloop"`.
    """

    __slots__ = ("_turning",)

    flow = InlineToThread
    inline = True

    def __init__(self, name: str) -> None:
        super().__init__(new_loop(name))
        self._turning = threading.Lock()

    @property
    def running(self) -> bool:
        return not self.loop.is_closed()

    def is_here(self) -> bool:
        return asyncio._get_running_loop() is self.loop  # whichever thread turns it

    def turn(self, wanted: Callable[[], bool], timeout: float = -1) -> None:
        """Let the loop turn until something stops it, if it is still `wanted`."""
        with self._turning:
            if self.loop.is_closed() or not wanted():
                return
            timer = self.loop.call_later(timeout, self.loop.stop) if timeout >= 0 else None
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                log.critical("a task raised %r, which ends an event loop; it goes on without the task", error)
            finally:
                if timer is not None:
                    timer.cancel()

    def run(self, work: Coroutine[Any, Any, None], timeout: float | None = None) -> None:
        with self._turning:
            if self.loop.is_closed():  # by `close()`, on another thread: everything has ended
                work.close()
                return
            task = self.loop.create_task(asyncio.wait_for(work, timeout))
            task.add_done_callback(lambda _: self.loop.stop())
        while not task.done():
            self.turn(lambda: not task.done())
        task.result()

    def end(self) -> None:
        """Cancel what is left, and close the loop."""
        with self._turning, asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.get_loop()  # leaving does the rest


def refuse_greenlets() -> None:
    """Raise `RuntimeError` where threads are greenlets: two loops cannot turn on one real thread."""
    import sys

    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        raise RuntimeError('mode="inline" needs real threads, and gevent has replaced them; leave mode= out')
