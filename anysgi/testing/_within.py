"""A limited wait for an app on a loop that is not ours, which holds though the app blocks the loop.

A blocked loop fires no timer.  One thread for the whole process looks at the waits there are; where the time is over
and the loop has not come round, what blocks it is thrown out, if it is an app under test:

    WAITING ──the time is over, and some more──> OVERDUE ──the loop has come round──> OVER

On the main thread calls are queued for the interpreter (`Py_AddPendingCall`), which makes them as soon as it runs any
Python there, one after the other: an app that catches the first exception has to do with the next.  They look whom
they interrupt.  A signal, which does nothing else, ends a system call so that it comes to that (PEP 475).  On another
thread only what runs Python can be ended.  What waits in C there, or on the main thread in a call that goes on after a
signal, nobody in the process can end, and so it is told.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
import threading
import time
import traceback
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from ._bounded import Abandoned, burns_time

if TYPE_CHECKING:
    from types import FrameType

WAITING, OVERDUE, OVER = "WAITING", "OVERDUE", "OVER"
_SLACK = 0.1  # seconds a loop may come late
_LOOK_EVERY = 0.05  # seconds
_LOOKS = 20  # without a wait, after which the thread ends; in vain, after which that is told
_THROWS = 30  # at one look; the interpreter's queue holds 32 calls
_SHOWN = 4  # calls of a stack
# Not the app's, even where they run for it: an exception anywhere would break them, and a debugger may take its time.
_MACHINERY = ("asyncio", "trio", "anyio", "uvloop", "anysgi.testing", "bdb", "pdb", "cmd")
_log = logging.getLogger("anysgi.testing")


class Guest(Protocol):
    """An app under test, on somebody else's loop.

    Attributes:
        blocked: where it was thrown out since it blocked the loop; empty so far.
    """

    blocked: str

    def so_far(self) -> str:
        """What was said, for people."""


guest: ContextVar[Guest] = ContextVar(
    "anysgi.testing.guest"
)  # the app whose code this is, its tasks' and callbacks' too
expendable: set[int] = set()  # threads that are given up when they are blocked
_open: set[Within] = set()
_met: set[int] = set()  # threads that have waited
_starting = threading.Lock()
_watch: threading.Thread | None = None


class Within:
    """Wait for an app: `with Within(app, seconds): await ...`.

    Args:
        app: whom the wait is for.
        seconds: how long; None for ever.

    Raises:
        TimeoutError: at the end of the block, if it took longer.
    """

    __slots__ = ("_scope", "app", "due", "looks", "state", "thread")

    def __init__(self, app: Guest, seconds: float | None) -> None:
        self.app, self.state, self.looks = app, WAITING, 0
        self._scope = anyio.move_on_after(seconds)
        if seconds is not None:
            self.thread = threading.get_ident()
            self.due = time.monotonic() + seconds + _SLACK

    def __enter__(self) -> None:
        if hasattr(self, "due"):
            _open.add(self)
            if _watch is None or self.thread not in _met:
                _start(self.thread)
        self._scope.__enter__()

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> bool | None:
        _open.discard(self)
        state, self.state = self.state, OVER
        swallowed = self._scope.__exit__(kind, *error)
        thrown_out = state is OVERDUE and self.app.blocked and (kind is None or issubclass(kind, Exception))
        if thrown_out or self._scope.cancelled_caught:
            raise TimeoutError from None
        return swallowed


# The thread that looks


def _start(thread: int) -> None:
    global _watch
    with _starting:
        if thread not in _met:
            _met.add(thread)
            if thread == threading.main_thread().ident and _has_a_free_signal(signal.SIG_DFL):
                signal.signal(signal.SIGURG, _wake)  # by default it is ignored, too, yet ends no call
        if _watch is None:
            _watch = threading.Thread(target=_look_on, name="anysgi-test-watch", daemon=True)
            _watch.start()


def _look_on() -> None:
    global _watch
    idle = 0
    while True:
        time.sleep(_LOOK_EVERY)
        idle = 0 if _open else idle + 1
        now = time.monotonic()
        for wait in list(_open):
            if now > wait.due and wait.state is not OVER:
                _interrupt(wait)
        if idle > _LOOKS:
            with _starting:
                _watch = None  # before the look: who opens a wait after that finds no thread, and starts one
                if not _open:
                    return
                _watch = threading.current_thread()


def _has_a_free_signal(handler: Any) -> bool:
    return hasattr(signal, "SIGURG") and signal.getsignal(signal.SIGURG) is handler  # Windows has none


def _forget() -> None:
    global _watch, _starting
    _watch, _starting = None, threading.Lock()
    _open.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(after_in_child=_forget)  # threads do not come along


def _interrupt(wait: Within) -> None:
    wait.state = OVERDUE if wait.state is WAITING else wait.state
    wait.looks += 1
    if wait.thread == threading.main_thread().ident:
        for _ in range(_THROWS):
            _add_call(_is_true, _thrower)
        if _has_a_free_signal(_wake):
            signal.pthread_kill(wait.thread, signal.SIGURG)
        in_vain = wait.looks == _LOOKS
    else:
        in_vain = not _throw_into(wait.thread) and wait.looks == 1
    if in_vain and wait.state is OVERDUE and wait.thread not in expendable:
        _tell(wait)


def _tell(wait: Within) -> None:
    frame = sys._current_frames().get(wait.thread)
    if frame is not None and not _is_machinery(frame):
        _log.error(
            "an app under test blocks the event loop, and nobody in this process can end the call it is in:\n%s\n%s",
            _stack(frame),
            wait.app.so_far(),
        )


# On the main thread


def _wake(number: int, frame: object) -> None:
    """Handle a signal that only ends system calls."""


class _Thrower:
    """What the interpreter asks for its truth, between two instructions of whatever runs on the main thread."""

    def __bool__(self) -> bool:
        frame: FrameType | None = sys._getframe(1)
        if frame is not None and frame.f_code is _wake.__code__:
            frame = frame.f_back
        app = guest.get(None)
        if app is not None and frame is not None and _may_be_thrown_out(app, frame, threading.get_ident()):
            app.blocked = app.blocked or _stack(frame)
            raise Abandoned
        return False


_thrower = _Thrower()
_is_true = ctypes.cast(ctypes.pythonapi.PyObject_IsTrue, ctypes.c_void_p)
_add_call = ctypes.pythonapi.Py_AddPendingCall
_add_call.argtypes = [ctypes.c_void_p, ctypes.py_object]


def _may_be_thrown_out(app: Guest, frame: FrameType, thread: int) -> bool:
    """Whether the time of an app is over, and it is the app's own code that runs.

    An app that somebody waits for has the time that is; any other, such as one that has been answered, has none.
    """
    waits = [wait for wait in _open if wait.thread == thread]
    own = [wait for wait in waits if wait.app is app]
    return any(wait.state is OVERDUE for wait in own or waits) and not _is_machinery(frame)


# On other threads


def _throw_into(thread: int) -> bool:
    """Whether the app on that thread was thrown out, or need not be."""
    if not burns_time(thread):
        return not _guest_on(thread)[0]
    app, frame = _guest_on(thread)
    if app is not None and frame is not None and _may_be_thrown_out(app, frame, thread):
        app.blocked = app.blocked or _stack(frame)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Abandoned))
        if sys._current_frames().get(thread) is not frame:  # it went on as we looked
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)
    return True


def _guest_on(thread: int) -> tuple[Guest | None, FrameType | None]:
    """The app that runs on a thread, by the context of the callback or the task there, and its innermost frame."""
    innermost = frame = sys._current_frames().get(thread)
    while frame is not None:
        place = os.path.basename(frame.f_code.co_filename), frame.f_code.co_name
        if place == ("events.py", "_run"):
            return frame.f_locals["self"]._context.get(guest), innermost
        if place == ("_run.py", "unrolled_run"):
            return frame.f_locals["task"].context.get(guest), innermost
        if place == ("_app_task.py", "_until_given_up"):  # no frame of uvloop's is seen
            return frame.f_locals["self"], innermost
        frame = frame.f_back
    return None, None


def _is_machinery(frame: FrameType) -> bool:
    """Whether a frame is of the loop, of ours, or of a debugger; a callback written in C has none of its own."""
    path = frame.f_code.co_filename
    if frame.f_code is asyncio.Handle._run.__code__:
        return False
    modules = [sys.modules[name] for name in _MACHINERY if name in sys.modules]
    return any(path.startswith(tuple(getattr(module, "__path__", [module.__file__]))) for module in modules)


def _stack(frame: FrameType) -> str:
    return "".join(traceback.format_stack(frame)[-_SHOWN:])
