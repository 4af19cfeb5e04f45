"""The thread that sees to it that no app blocks a loop, or a thread, that is not ours.

A blocked loop fires no timer.  One thread for the whole process looks at the waits there are for apps.  Where the time
is over and the loop has not come round, what blocks it is thrown out, if it is an app under test:

    WAITING ──the time is over, and some more──> OVERDUE ──the loop has come round──> OVER

While nobody waits for an app, one callback of its, or one step of a task, may take as long as a wait may.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from weakref import ref

from ._bounded import stack
from ._throwing import Guest, is_machinery, prepare, running_on, throw_out

if TYPE_CHECKING:
    from types import FrameType

WAITING, OVERDUE, OVER = "WAITING", "OVERDUE", "OVER"
_SLACK = 0.1  # seconds a loop may come late
_LOOK_EVERY = 0.05  # seconds
_LOOKS = 20  # with nothing to look at, after which the thread ends; in vain, after which that is told
expendable: set[int] = set()  # threads that are given up when they are blocked
_log = logging.getLogger("anysgi.testing")
_waits: set[Watched] = set()
_apps: dict[ref[Guest], int] = {}  # and the threads they are on
_seen: dict[int, Watched] = {}  # callbacks of apps, by their thread
_met: set[int] = set()  # threads that were seen to
_starting = threading.Lock()
_thread: threading.Thread | None = None


class Watched:
    """Wait for an app: `with Watched(app, seconds): ...`; what blocks the thread for longer is thrown out.

    Args:
        app: whom the wait is for.
        seconds: how long; None for ever.
    """

    __slots__ = ("_app", "callback", "due", "looks", "state", "thread")

    def __init__(self, app: Guest, seconds: float | None) -> None:
        self._app = ref(app)  # weakly: what is seen in passing must not keep what an app has left from the collector
        self.state, self.looks = WAITING, 0
        self.callback: tuple[ref[object], int] | None = None
        self.thread = threading.get_ident()
        self.due = math.inf if seconds is None else time.monotonic() + seconds + _SLACK

    @property
    def app(self) -> Guest | None:
        return self._app()

    def __enter__(self) -> None:
        _waits.add(self)
        if _thread is None or self.thread not in _met:
            _start(self.thread)

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> bool | None:
        _waits.discard(self)
        self.state = OVER
        app = self.app
        if app is not None and app.blocked and (kind is None or issubclass(kind, Exception)):
            raise TimeoutError from None
        return None


def arrives(app: Guest) -> None:
    """An app begins on this thread."""
    thread = threading.get_ident()
    _apps[ref(app, _lost)] = thread
    if _thread is None or thread not in _met:
        _start(thread)


def leaves(app: Guest) -> None:
    """Nothing of an app is left."""
    _apps.pop(ref(app), None)


def _lost(app: ref[Guest]) -> None:
    _apps.pop(app, None)


def is_watching() -> bool:
    """Whether the thread is there."""
    return _thread is not None


def _start(thread: int) -> None:
    global _thread
    with _starting:
        if thread not in _met:
            _met.add(thread)
            if thread == threading.main_thread().ident:
                prepare()
        if _thread is None:
            _thread = threading.Thread(target=_look_on, name="anysgi-test-watch", daemon=True)
            _thread.start()


def _look_on() -> None:
    global _thread
    idle = 0
    while True:
        time.sleep(_LOOK_EVERY)
        idle = 0 if _waits or _apps else idle + 1
        _look()
        if idle > _LOOKS:
            with _starting:
                _thread = None  # before the look: who comes after that finds no thread, and starts one
                if not _waits and not _apps:
                    _seen.clear()
                    return
                _thread = threading.current_thread()


def _look() -> None:
    for thread in {*_apps.values(), *_seen}:
        _look_at(thread)
    now = time.monotonic()
    for wait in [*_waits, *_seen.values()]:
        if now > wait.due and wait.state is not OVER:
            _interrupt(wait)


def _look_at(thread: int) -> None:
    """Look whether an app's callback still runs that ran before."""
    running = running_on(thread)
    seen = _seen.pop(thread, None)
    if running is None or running.app is None:
        return
    callback = ref(running.callback), running.app.steps
    if seen is None or seen.callback != callback:
        seen = Watched(running.app, running.app.patience)
        seen.thread, seen.callback = thread, callback
    _seen[thread] = seen


def _interrupt(wait: Watched) -> None:
    if wait.thread not in sys._current_frames():  # it was given up, and has ended
        _waits.discard(wait)
        return
    wait.state = OVERDUE if wait.state is WAITING else wait.state
    wait.looks += 1
    throw_out(wait.thread, _may_be_thrown_out)
    is_told_of = wait.callback is None and wait.thread in _seen
    if wait.looks == _LOOKS and wait.state is OVERDUE and not is_told_of and wait.thread not in expendable:
        _tell(wait.thread)


def _may_be_thrown_out(app: Guest, frame: FrameType, thread: int) -> bool:
    """Whether the time of an app is over.

    One that somebody waits for has the time that is; any other, such as one that has been answered, may block nobody.
    """
    waits = [wait for wait in [*_waits, *_seen.values()] if wait.thread == thread]
    own = [wait for wait in waits if wait.app is app]
    return any(wait.state is OVERDUE for wait in own or waits)


def _tell(thread: int) -> None:
    running = running_on(thread)
    if running is not None and running.app is not None and not is_machinery(running.innermost):
        _log.error(
            "an app under test blocks its thread, in a call that nobody in this process can end:\n%s%s",
            stack(running.innermost),
            running.app.so_far(),
        )


def _forget() -> None:
    global _thread, _starting
    _thread, _starting = None, threading.Lock()
    _waits.clear()
    _apps.clear()
    _seen.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(after_in_child=_forget)  # threads do not come along
