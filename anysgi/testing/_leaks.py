"""What an exchange left behind: tasks, threads, and generators that nobody closed."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import sys
import threading
import traceback
from types import AsyncGeneratorType, FunctionType, GeneratorType, ModuleType
from typing import TYPE_CHECKING, Any

from ._exchange import Leak

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

_DEEPEST, _WIDEST = 5, 100  # how far the search for generators goes
_LOOKS, _LOOK_EVERY = 20, 0.005  # seconds
_PLAIN = (list, tuple, bytes, type(None))
# What leads everywhere, and so nowhere.
_BLIND = (type, ModuleType, FunctionType, str, bytes, int)
# Where an idle worker of a pool waits; a pool may outlive a request, what it works on may not.
_IDLE = {
    ("thread.py", "_worker"),  # concurrent.futures
    ("_asyncio.py", "run"),  # anyio
    ("_thread_cache.py", "_work"),  # trio
    ("_pool.py", "_next_job"),  # anysgi
    ("_recorder.py", "_write"),  # of `record`, until the process ends
    ("selectors.py", "select"),  # an event loop on a thread of its own, as adapters from ASGI to WSGI keep one
    ("runners.py", "run"),  # the same of uvloop, which waits outside of Python
    ("_io_epoll.py", "get_events"),  # of trio, on Linux
    ("_io_kqueue.py", "get_events"),  # and on macOS
    ("_bounded.py", "_work"),  # our own
    ("handlers.py", "dequeue"),  # logging's QueueListener, as Litestar starts one
    ("_watchdog.py", "_look_on"),
}


def suspended_inside(iterable: object) -> list[Leak]:
    """Generators that are still suspended somewhere inside an iterable that was closed.

    `close()` that is not passed on leaves them so: whatever their `finally` should do is late, or never done.
    """
    if isinstance(iterable, _PLAIN):
        return []
    found: list[Leak] = []
    seen: set[int] = set()
    layer = [iterable]
    for _ in range(_DEEPEST):
        seen.update(map(id, layer))
        found += [_suspended(thing) for thing in layer if _is_suspended(thing)]
        inner = {id(part): part for thing in layer for part in gc.get_referents(thing) if not isinstance(part, _BLIND)}
        layer = [part for key, part in inner.items() if key not in seen][:_WIDEST]
    return found


def _is_suspended(thing: object) -> bool:
    return isinstance(thing, GeneratorType) and inspect.getgeneratorstate(thing) == inspect.GEN_SUSPENDED


def _suspended(generator: Any) -> Leak:
    return Leak("generator", f"{generator.__qualname__} is still suspended {_at(generator.gi_frame)}")


def _at(frame: FrameType | None) -> str:
    return f"at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""


def async_generators(known: Iterable[AsyncGeneratorType[Any, Any]]) -> list[Leak]:
    """Those that were begun and neither ran to their end nor were closed."""
    return [
        Leak("generator", f"{item.__qualname__} was not closed, {_at(item.ag_frame)}")
        for item in known
        if item.ag_frame is not None and not item.ag_running
    ]


def tasks(known: Iterable[asyncio.Task[Any]]) -> list[Leak]:
    """Those that still run."""
    return [Leak("task", f"{task.get_name()}: {stack(task.get_coro())}") for task in known if not task.done()]


def stack(inner: Any) -> str:
    """The innermost coroutines that one waits in; `Task.get_stack` shows the outermost alone."""
    calls = []
    while hasattr(inner, "cr_frame"):
        calls.append(f"{inner.__qualname__} {_at(inner.cr_frame)}".rstrip())
        inner = inner.cr_await
    return " > ".join(calls[-8:])


def look_for_threads(before: list[threading.Thread], found: list[Leak]) -> Iterable[float]:
    """Find what threads are left, and yield the seconds to wait before each further look.

    Not each is a leak at once: a worker may be on its way back to where its pool lets it wait.
    """
    return () if threading.enumerate() == before else _look_again(before, found)  # nearly always the same ones


def _look_again(before: list[threading.Thread], found: list[Leak]) -> Iterator[float]:
    for _ in range(_LOOKS):
        if not _threads(before):
            return
        yield _LOOK_EVERY
    found += _threads(before)


def _threads(before: list[threading.Thread]) -> list[Leak]:
    """Those that were started meanwhile and are alive, unless they are idle workers of a pool."""
    alive = [thread for thread in threading.enumerate() if thread not in before]
    frames = sys._current_frames()
    return [
        Leak("thread", f"{thread.name} {_at(_own(frames.get(thread.ident or 0)))}".rstrip())
        for thread in alive
        if not is_idle(frames.get(thread.ident or 0))
    ]


def is_idle(frame: FrameType | None) -> bool:
    """Whether a thread waits where an idle worker does; `frame` is where it stands."""
    if frame is None:
        return True  # it has ended meanwhile
    own = _own(frame)
    return own is not None and _place(own) in _IDLE


def _own(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that does not merely wait; None if the thread has none."""
    while frame is not None and _place(frame)[0] in ("threading.py", "queue.py"):
        frame = frame.f_back
    return frame


def _place(frame: FrameType) -> tuple[str, str]:
    return os.path.basename(frame.f_code.co_filename), frame.f_code.co_name


def forget_locals(error: BaseException | None) -> None:
    """Empty the frames a kept exception holds: their locals would keep generators and responses alive."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
