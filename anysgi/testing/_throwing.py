"""How code that blocks a thread is thrown out of it.

On the main thread calls are queued for the interpreter (`Py_AddPendingCall`), which makes them as soon as it runs any
Python there, one after the other: an app that catches the first exception has to do with the next.  They look whom
they interrupt.  A signal, which does nothing else, ends a system call so that it comes to that (PEP 475).

On another thread only what runs Python can be ended, by one exception at a time.  What waits in C there, or on the main
thread in a call that goes on after a signal, nobody in the process can end.
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import sys
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ._bounded import Abandoned, burns_time, stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

_THROWS = 30  # at once; the interpreter's queue holds 32 calls
_MOMENT = 0.001  # seconds
# Not the app's, even where they run for it: an exception anywhere would break them, and a debugger may take its time.
_MACHINERY = ("asyncio", "trio", "anyio", "uvloop", "anysgi.testing", "traceback", "_weakrefset", "bdb", "pdb", "cmd")


class Guest(Protocol):
    """An app under test, on a thread that is not ours.

    Attributes:
        blocked: where it was thrown out since it blocked its thread; empty so far.
        patience: seconds that it may block it while nobody waits.
        steps: how often its task was resumed.
    """

    blocked: str
    patience: float
    steps: int

    def so_far(self) -> str:
        """What was said, for people."""


# The app whose code this is; its tasks, callbacks and jobs have it, too.
guest: ContextVar[Guest | None] = ContextVar("anysgi.testing.guest")


_ours: set[CodeType] = set()


def calls_apps(method: Any) -> None:
    """Tell of a `Guest`'s method that calls the app: uvloop shows no frames of its own, and some have no loop."""
    _ours.add(method.__code__)


class Running(NamedTuple):
    """What runs on a thread.

    Attributes:
        app: the app whose callback, or step of a task, it is; None if it is no app's.
        callback: what the loop calls there: a handle, or a task.
        innermost: where it stands.
    """

    app: Guest | None
    callback: object
    innermost: FrameType


def running_on(thread: int) -> Running | None:
    """What runs on a thread, by the context of the callback or the task there; None if it runs no app."""
    innermost = frame = sys._current_frames().get(thread)
    while frame is not None and innermost is not None:
        if frame.f_code is asyncio.Handle._run.__code__:
            handle = frame.f_locals["self"]
            return Running(handle._context.get(guest), handle, innermost)
        if frame.f_code.co_name == "unrolled_run" and hasattr(frame.f_locals.get("task"), "context"):  # trio's
            task = frame.f_locals["task"]
            return Running(task.context.get(guest), task, innermost)
        if frame.f_code in _ours:
            app = frame.f_locals["self"]
            return Running(app, app, innermost)
        frame = frame.f_back
    return None


def prepare() -> None:
    """Let a signal end the system calls of the main thread, which this is."""
    if _is_ours_to_use(signal.SIG_DFL):
        signal.signal(signal.SIGURG, _wake)  # by default it is ignored, too, yet ends no call


def throw_out(thread: int, may: Callable[[Guest, FrameType, int], bool]) -> None:
    """Have an exception raised in an app, if it is one that runs, and `may` it.

    Args:
        thread: where.
        may: asked for the app, its innermost frame, and the thread; on the main thread, there.
    """
    if thread == threading.main_thread().ident:
        _thrower.may = may
        for _ in range(_THROWS):
            _add_call(_is_true, _thrower)
        if _is_ours_to_use(_wake):
            signal.pthread_kill(thread, signal.SIGURG)
    elif burns_time(thread):
        _throw_into(thread, may)


def _is_ours_to_use(handler: Any) -> bool:
    return hasattr(signal, "SIGURG") and signal.getsignal(signal.SIGURG) is handler  # Windows has none


def _wake(number: int, frame: object) -> None:
    """Handle a signal that only ends system calls."""


class _Thrower:
    """What the interpreter asks for its truth, between two instructions of whatever runs on the main thread."""

    may: Callable[[Guest, FrameType, int], bool]

    def __bool__(self) -> bool:
        frame: FrameType | None = sys._getframe(1)
        if frame is not None and frame.f_code is _wake.__code__:
            frame = frame.f_back
        app = guest.get(None)
        if app is None or frame is None or is_machinery(frame):
            return False
        if self.may(app, frame, threading.get_ident()):
            app.blocked = app.blocked or stack(frame)
            raise Abandoned
        return False


_thrower = _Thrower()
_is_true = ctypes.cast(ctypes.pythonapi.PyObject_IsTrue, ctypes.c_void_p)
_set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
_add_call = ctypes.pythonapi.Py_AddPendingCall
_add_call.argtypes = [ctypes.c_void_p, ctypes.py_object]


def _throw_into(thread: int, may: Callable[[Guest, FrameType, int], bool]) -> None:
    """Raise an exception where a thread stands that burns time, if an app stands there.

    A thread that had to hand over the interpreter's lock takes an exception right where it has it again.  So what is
    seen there now is what is hit, as long as we keep the lock, and we have just got it.
    """
    seen = running_on(thread)
    told = stack(seen.innermost) if seen is not None else ""
    time.sleep(_MOMENT)
    running = running_on(thread)
    if running is None or running.app is None or is_machinery(running.innermost):
        return
    if may(running.app, running.innermost, thread):
        running.app.blocked = running.app.blocked or told
        _set_exception(ctypes.c_ulong(thread), ctypes.py_object(Abandoned))


def is_machinery(frame: FrameType) -> bool:
    """Whether a frame is of the loop, of ours, or of a debugger; a callback written in C has none of its own."""
    path = frame.f_code.co_filename
    if frame.f_code is asyncio.Handle._run.__code__:
        return False
    if path.startswith("<frozen importlib"):
        return True
    modules = [sys.modules[name] for name in _MACHINERY if name in sys.modules]
    return any(path.startswith(tuple(getattr(module, "__path__", [module.__file__]))) for module in modules)
