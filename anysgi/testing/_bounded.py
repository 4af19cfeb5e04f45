"""Run a function on a helper thread, for a limited time: what an app does to itself must not hang the test.

Helpers are kept and reused.  One whose job ran out of time is abandoned: it is told to stop, and never used again.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeAlias

from ._let_go import let_go_of_daemons

_LOOK = 0.02  # seconds
_SHOWN = 4  # calls of a stack
Job: TypeAlias = Callable[[], None]
_numbers = itertools.count(1)
idle: list[_Helper] = []
if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(after_in_child=idle.clear)  # threads do not come along


class Abandoned(BaseException):
    """Raised inside of an app that ran out of time; no `except Exception` swallows it."""


class OutOfTime(Exception):
    """The job did not end within the bound.

    Args:
        stack: where it stood.
        asked: how often it was asked to stop before it did, or gave no sign.
    """

    def __init__(self, stack: str, asked: int) -> None:
        super().__init__(stack)
        self.stack = stack
        self.asked = asked


class _Helper:
    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Context, Job] | None] = SimpleQueue()
        self._done: SimpleQueue[None] = SimpleQueue()
        self._failure: BaseException | None = None
        self.thread = threading.Thread(target=self._work, name=f"anysgi-test-{next(_numbers)}", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        while (given := self._jobs.get()) is not None:
            context, job = given
            try:
                context.run(job)
            except BaseException as error:
                self._failure = error
            del context, job, given
            self._done.put(None)

    def start(self, job: Job, context: Context) -> None:
        self._jobs.put((context, job))

    def ends(self, seconds: float | None) -> bool:
        """Wait for the job; whether it ended in that time."""
        try:
            self._done.get(timeout=seconds)
        except Empty:
            return False
        return True

    def failure(self) -> BaseException | None:
        """What the job that ended raised; told once, for it would keep the app's frames alive."""
        failure, self._failure = self._failure, None
        return failure

    def abandon(self) -> None:
        """Use this helper no more, and end its job if it burns time.

        One that sits in a system call stays there, on a daemon thread.  It gets no exception: one that is not taken
        makes CPython 3.11 spin in all other threads while they are traced, as coverage and debuggers do.
        """
        ident = self.thread.ident or 0
        if burns_time(ident):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Abandoned))
        self._jobs.put(None)  # last, for a thread that has ended has no clock to look at


def stack(frame: FrameType) -> str:
    """The innermost calls, for people."""
    return "".join(traceback.format_stack(frame)[-_SHOWN:])


def stack_of(thread: threading.Thread) -> str:
    """The same of a thread; empty if it has ended."""
    frame = sys._current_frames().get(thread.ident or 0)
    return stack(frame) if frame else ""


def burns_time(ident: int) -> bool:
    """Whether a thread runs, rather than waits or has ended."""
    if not hasattr(time, "pthread_getcpuclockid") or ident not in sys._current_frames():
        return False
    clock = time.pthread_getcpuclockid(ident)  # of one that has ended it would end the process
    try:
        before = time.clock_gettime(clock)
        time.sleep(_LOOK)
        return time.clock_gettime(clock) - before > _LOOK / 20
    except OSError:  # it ended meanwhile
        return False


class Worker:
    """One helper thread for jobs that belong together, in one copy of the caller's context.

    `run()` them one after another, `release()` the thread at the end.
    """

    def __init__(self) -> None:
        self._context = copy_context()
        try:
            self._helper: _Helper | None = idle.pop()
        except IndexError:
            self._helper = _Helper()

    def run(self, job: Job, seconds: float | None, stops: Sequence[Job] = (), patience: float = 0.5) -> None:
        """Run a job.

        Args:
            job: what to run.
            seconds: how long it may take; None: for ever.
            stops: called in turn once that is over, from the calling thread, to end the job in good order.
            patience: seconds that each of them may take to work.

        Raises:
            OutOfTime: the job was still running; it has been stopped or abandoned, and the thread with it.
            BaseException: what the job raised.
        """
        helper, self._helper = self._helper, None
        if helper is None:
            raise OutOfTime("the thread was abandoned", 0)
        try:
            helper.start(job, self._context)
            if not helper.ends(seconds):
                late = OutOfTime(stack_of(helper.thread), _ask(helper, stops, patience))
                let_go_of_daemons()
                raise late
        except OutOfTime:
            raise
        except BaseException:  # the caller was interrupted, at once or as the time was over; the job was not
            if helper not in idle:
                helper.abandon()
            raise
        self._helper = helper
        failure = helper.failure()
        if failure is not None:
            raise failure

    def release(self) -> None:
        """Give the thread back."""
        if self._helper is not None:
            idle.append(self._helper)
            self._helper = None


def bounded(job: Job, seconds: float, stops: Sequence[Job] = (), patience: float = 0.5) -> None:
    """Run one job on a helper thread; see `Worker.run`."""
    worker = Worker()
    try:
        worker.run(job, seconds, stops, patience)
    finally:
        worker.release()


def _ask(helper: _Helper, stops: Sequence[Job], patience: float) -> int:
    """End a job one way or another; return how often it had to be asked."""
    for asked, stop in enumerate(stops, 1):
        stop()
        if helper.ends(patience):
            helper.failure()
            idle.append(helper)
            return asked
    helper.abandon()
    return len(stops) + 1
