"""An app in a task of its own on trio, and what is seen to as that loop ends.

A system task hosts it, which trio cancels at the end of the run, and then waits for.  An app has a moment to end then;
after that its tasks are written off: those that swallow what comes, and those in a wait that takes no cancellation, as
the one for a thread.  None is before the end, for what it waits for may still come, and trio breaks if that comes for a
task that is no more.  Not seen to is what an app started by `trio.lowlevel.spawn_system_task`.
"""

from __future__ import annotations

import contextvars
import ctypes
import logging
from typing import TYPE_CHECKING, Any, NoReturn

import trio
import trio.lowlevel

from ._let_go import GRACE
from ._throwing import guest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator

    from ._throwing import Guest

_TURNS = 5  # of the loop, which the end of a task takes
_log = logging.getLogger("anysgi.testing")


def spawn(run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
    """Start a task that belongs to nobody, and return what cancels it."""
    limits = trio.CancelScope()
    context = contextvars.copy_context()
    trio.lowlevel.spawn_system_task(_host, run, limits, context=context)
    return limits.cancel


async def _host(run: Callable[[], Coroutine[Any, Any, None]], limits: trio.CancelScope) -> None:
    hosted: list[trio.lowlevel.Task] = []
    ended = trio.Event()

    async def app() -> None:
        hosted.append(trio.lowlevel.current_task())
        try:
            with limits:
                await run()
        finally:
            ended.set()

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app)
            try:
                await ended.wait()
            except trio.Cancelled:
                with trio.CancelScope(shield=True):
                    await _write_off(hosted[0] if hosted else None)
                raise
    except* RuntimeError:
        pass  # what trio says of a task that was written off inside of a nursery of its own


def _tasks_of(who: Guest) -> Iterator[trio.lowlevel.Task]:
    """The app's task, and those of its context in its nurseries, outermost first."""
    root = trio.lowlevel.current_root_task()
    layer = [root] if root is not None else []
    while layer:
        yield from (task for task in layer if task.context.get(guest) is who)
        layer = [child for task in layer for nursery in task.child_nurseries for child in nursery.child_tasks]


async def _write_off(app: trio.lowlevel.Task | None) -> None:
    who = app.context.get(guest) if app is not None else None
    if who is None:  # it is about to end
        return
    until = trio.current_time() + GRACE
    while any(_tasks_of(who)) and trio.current_time() < until:
        await trio.sleep(GRACE / 10)
    while left := list(_tasks_of(who)):
        _end(left[-1])  # first those inside: a nursery wakes up the task that waits for its last one
        for _ in range(_TURNS):
            await trio.lowlevel.checkpoint()


def _end(task: Any) -> None:
    _log.warning("an app under test left a task that goes on when it is cancelled: %s", task.name)
    # What swallows its cancellation may swallow GeneratorExit as well, and would spin when it is collected.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(task.coro))
    task.coro = _Ended()
    try:
        trio.lowlevel.reschedule(task)
    except AssertionError:
        pass  # it is about to run


class _Ended:
    """A coroutine that has nothing more to do."""

    def send(self, value: object) -> NoReturn:
        raise StopIteration

    throw = send


def park() -> Generator[Any, Any, Any]:
    """Wait until the task is written off."""
    return trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED).__await__()
