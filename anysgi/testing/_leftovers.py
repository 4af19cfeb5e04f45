"""What an app leaves on a loop of asyncio that is not ours, and what is seen to as that loop ends.

A loop's end waits for its tasks and for the workers of its pool, and so one that swallows its cancellation or a job
without an end would hold it up for ever.  Until then all of it goes on, for an app may well work behind its answer.

    tasks        a task of ours waits for them; it is cancelled as they are, and writes off what goes on all the same
    generators   an async generator of ours is closed after that, and closes those of the apps, for a limited time
    jobs         after these, it lets go of the threads that work for an app
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread as pools
import ctypes
import gc
import logging
import os
import sys
import threading
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from ._bounded import idle
from ._leaks import stack
from ._let_go import GRACE, let_go
from ._throwing import guest
from ._watchdog import is_watching, leaves

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from types import FrameType

    from ._throwing import Guest

_TIMES = 10  # that a task is cancelled
_log = logging.getLogger("anysgi.testing")
_worker: Any = pools._worker
_item: Any = pools._WorkItem


class _Loop:
    """A loop on which apps were run.

    Attributes:
        jobs: of its pool, that had begun before; not of an app, as far as can be seen.
        generators: async ones, that an app began.
        end: what is closed as the loop ends.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.jobs = {job for _, pool, job, _ in _at_work() if pool is _pool_of(loop)} if _pool_of(loop) else set()
        self.generators: WeakSet[AsyncGenerator[Any]] = WeakSet()
        self.end: AsyncGenerator[None] | None = None


class _Begun:
    """The hook for async generators that begin: an app's are not the loop's, whose end would wait for theirs."""

    def __init__(self, known: _Loop, theirs: Callable[[Any], object] | None) -> None:
        self.known, self._theirs = known, theirs

    def __call__(self, generator: AsyncGenerator[Any]) -> None:
        if guest.get(None) is not None:
            self.known.generators.add(generator)
        elif self._theirs is not None:
            self._theirs(generator)


_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()


def expect(loop: asyncio.AbstractEventLoop) -> None:
    """An app begins on a loop: what works for the loop before is none of an app."""
    known = _loops.get(loop)
    if known is None:
        for old in [old for old in _loops if old.is_closed()]:
            del _loops[old]  # what is to be closed at the end of a loop holds it
        known = _loops[loop] = _Loop(loop)
    theirs = sys.get_asyncgen_hooks().firstiter
    if not isinstance(theirs, _Begun) or theirs.known is not known:
        sys.set_asyncgen_hooks(firstiter=_Begun(known, theirs))


async def look_after(app: Guest, at_the_end: bool) -> None:
    """An app has ended on this loop: see to what it left there.

    Args:
        app: whose tasks.
        at_the_end: the loop ends already, and has cancelled them.
    """
    loop = asyncio.get_running_loop()
    me = asyncio.current_task()
    tasks = {task for task in asyncio.all_tasks(loop) if task is not me and _guest_of(task) is app}
    if tasks:
        name = "anysgi.testing: waits for what an app left"
        seen_to = (_insist if at_the_end else _outlive)(tasks)
        _keep(asyncio.create_task(seen_to, name=name, context=Context())).add_done_callback(lambda _: leaves(app))
    else:
        leaves(app)
    known = _loops[loop]
    if known.end is None and (tasks or known.generators or threading.active_count() > 1 + is_watching() + len(idle)):
        known.end = _at_the_end(known)
        await Context().run(anext, known.end)  # not in the app's, for it is the loop's to close


_kept: set[asyncio.Task[None]] = set()


def _keep(task: asyncio.Task[None]) -> asyncio.Task[None]:
    _kept.add(task)  # a loop holds its tasks by weak references
    task.add_done_callback(_kept.discard)
    return task


# Tasks


def look_whether_it_ends() -> None:
    """The running task went on when it was cancelled.  If that was since the loop ends, it must not hold that up."""
    asyncio.get_running_loop().call_later(GRACE, _end_with_the_loop, asyncio.current_task(), context=Context())


def _end_with_the_loop(task: asyncio.Task[Any] | None) -> None:
    """Write a task off if the loop ends, which cancels every single one."""
    if task is not None and not task.done() and all(other.cancelling() for other in asyncio.all_tasks() - _kept):
        _keep(asyncio.create_task(_insist({task})))


def _guest_of(task: asyncio.Task[Any]) -> Guest | None:
    """The app whose task it is, by its context, which CPython 3.11 tells nobody."""
    return next((it.get(guest) for it in gc.get_referents(task) if isinstance(it, Context)), None)


async def _outlive(tasks: set[asyncio.Task[Any]]) -> None:
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        await _insist(tasks)


async def _insist(tasks: set[asyncio.Task[Any]]) -> None:
    """Wait for tasks that were cancelled, cancel them again and again, and write off what goes on all the same."""
    try:
        for _ in range(_TIMES if tasks else 0):
            _, tasks = await asyncio.wait(tasks, timeout=GRACE / _TIMES)
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    finally:
        for task in tasks:
            _write_off(task)


def _write_off(task: asyncio.Task[Any]) -> None:
    """End a task for whoever waits for it; its coroutine stays where it stands."""
    if task.done():
        return
    coroutine = task.get_coro()
    _log.warning("an app under test left a task that goes on when it is cancelled: %s", stack(coroutine))
    asyncio.Future.set_result(task, None)  # what a task refuses to be told, and a future not
    # What swallows its cancellation may swallow GeneratorExit as well, and would spin when it is collected.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(coroutine))


# Generators and jobs


async def _at_the_end(known: _Loop) -> AsyncGenerator[None]:
    """Be closed."""
    try:
        yield
    finally:
        closing = {asyncio.create_task(_close(generator)) for generator in known.generators}
        if closing:
            _, late = await asyncio.wait(closing, timeout=GRACE)
            await _insist(late)
        await _let_go(known)


async def _close(generator: AsyncGenerator[Any]) -> None:
    try:
        await generator.aclose()
    except Exception:
        _log.warning("an async generator of an app under test raised as it was closed", exc_info=True)


async def _let_go(known: _Loop) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + GRACE
    while (left := list(_left_behind(known, loop))) and loop.time() < until:
        await asyncio.sleep(GRACE / _TIMES)
    for thread, pool, frame in left:
        _log.warning("an app under test left a job that goes on: %s at %s", thread.name, _place(frame))
        let_go(thread, pool)


def _left_behind(known: _Loop, loop: Any) -> Iterator[tuple[threading.Thread, Any, FrameType]]:
    """The threads that work for an app, by the context of the job; one without a context is of the loop's pool."""
    for thread, pool, job, frame in _at_work():
        context = _context_of(job)
        if context.get(guest) is not None if context else (pool is _pool_of(loop) and job not in known.jobs):
            yield thread, pool, frame


def _at_work() -> Iterator[tuple[threading.Thread, Any, Any, FrameType]]:
    """The workers that have something to do: their thread, their pool, their job, and where it stands."""
    frames = sys._current_frames()
    for thread in threading.enumerate():
        innermost = frames.get(thread.ident or 0)
        frame, job = innermost, None
        while frame is not None and innermost is not None:
            if frame.f_code is _item.run.__code__:
                job = frame.f_locals["self"]
            elif frame.f_code is _worker.__code__ and job is not None:
                yield thread, frame.f_locals["executor_reference"](), job, innermost
            elif frame.f_code.co_name == "run" and "cancel_scope" in frame.f_code.co_varnames:  # anyio's
                context = frame.f_locals.get("context")
                if isinstance(context, Context):
                    yield thread, None, context, innermost
            frame = frame.f_back


def _context_of(job: Any) -> Context | None:
    """The context that `asyncio.to_thread` and anyio run a job in."""
    if isinstance(job, Context):
        return job
    function = job.fn if hasattr(job, "fn") else job.task[0]  # to and from CPython 3.14
    context = getattr(function.func, "__self__", None) if isinstance(function, partial) else None
    return context if isinstance(context, Context) else None


def _pool_of(loop: Any) -> Any:
    return getattr(loop, "_default_executor", None)


def _place(frame: FrameType) -> str:
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
