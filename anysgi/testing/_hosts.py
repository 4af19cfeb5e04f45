"""Where an app runs: a WSGI app on a thread, an ASGI app on a loop of its own, each for a limited time.

The thread is a helper's, which can be abandoned; or, where the app needs it, the calling one.
"""

from __future__ import annotations

import asyncio
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from . import _leaks
from ._bounded import OutOfTime, bounded
from ._clocks import ScenarioLoop, SkippingClock
from ._let_go import let_go_of_daemons
from ._throwing import guest
from ._within import Here

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._record import Record

STOPPING = 0.5  # seconds a cancelled app has to end


class LoopOfItsOwn:
    """One event loop for one exchange, and the handle to end it from another thread.

    Attributes:
        stood_at: where the app stood when its time was over.
        swallowed: whether it went on when it was cancelled.
        guest: the app, if it is to be thrown out where it blocks.
    """

    def __init__(self, skip_sleeps: bool) -> None:
        self._skip_sleeps = skip_sleeps
        self._loop: ScenarioLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self.stood_at = ""
        self.swallowed = False
        self.guest: Here | None = None

    def run(self, serve: Callable[[SkippingClock], Any], record: Record) -> None:
        self._loop = loop = ScenarioLoop(self._skip_sleeps)
        context = None
        if self.guest is not None:
            context = copy_context()
            context.run(guest.set, self.guest)
        self._task = task = loop.create_task(serve(SkippingClock(loop, record)), context=context)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError as error:
            record.exchange.exception = record.exchange.exception or error
        except RuntimeError:
            if task.done() or self.stood_at:  # its own error, or we halted the loop
                raise
            raise record.timeout("the app stopped its event loop", f"It stood at {_leaks.tasks([task])[0]}") from None
        finally:
            record.skipped = loop.selector.skipped
            self._close(loop)

    def _close(self, loop: ScenarioLoop) -> None:
        try:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.wait(left, timeout=STOPPING))
            loop.run_until_complete(loop.shutdown_asyncgens())
            if getattr(loop, "_default_executor", None) is not None:
                loop.run_until_complete(loop.shutdown_default_executor())
        finally:  # it was halted
            loop.close()

    def cancel(self) -> None:
        """Cancel the app, unless only what it left behind goes on; from another thread."""
        if self._loop is None or self._task is None:
            return
        if self._task.done():
            self.stood_at = "its end: what it left behind, such as a job of the loop's pool, goes on\n"
        else:
            self.stood_at = f"{_leaks.tasks([self._task])[0]}\n"
            self._loop.call_soon_threadsafe(self._task.cancel)

    def halt(self) -> None:
        """Stop the loop under an app that goes on, or under what it left behind; from another thread."""
        if self._loop is not None:
            self.swallowed = self._task is not None and not self._task.done()
            self._loop.call_soon_threadsafe(self._loop.stop)


def run_bounded(
    record: Record, job: Callable[[], None], bound: float, inline: bool, host: LoopOfItsOwn | None = None
) -> None:
    if inline:
        _run_here(record, job, bound, host)
        return
    try:
        bounded(job, bound, (host.cancel, host.halt) if host else (), STOPPING)
    except OutOfTime as late:
        swallowed = " and swallowed its cancellation" if host and host.swallowed else ""
        where = f"It stood at\n{host.stood_at if host else ''}{late.stack}"
        raise record.timeout(f"the app did not end within {bound} s{swallowed}", where) from None


def _run_here(record: Record, job: Callable[[], None], bound: float, host: LoopOfItsOwn | None) -> None:
    """On the calling thread an app that awaits is cancelled from another thread, and one that blocks is thrown out."""
    stops = [threading.Timer(bound, host.cancel), threading.Timer(bound + STOPPING, host.halt)] if host else []
    for stop in stops:
        stop.daemon = True
        stop.start()
    app = Here(record.so_far)
    if host:
        host.guest = app
    try:
        (app.watch if host else app.run)(job, bound)
    except TimeoutError:
        if not app.blocked:  # it is the record's
            raise
    except RuntimeError:  # the loop was halted
        if not host or not host.stood_at:
            raise
    finally:
        for stop in stops:
            stop.cancel()
            stop.join()
    stood_at = app.blocked or (host.stood_at if host else "")
    if stood_at:
        let_go_of_daemons()
        raise record.timeout(f"the app did not end within {bound} s", f"It stood at\n{stood_at}")
