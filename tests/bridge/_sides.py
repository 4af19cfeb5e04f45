"""Two sides for a border: a thread to make or take on, and a loop of either kind, each with a bound on every wait."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

import uvloop

from tests.conftest import BOUND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


class Gone(Exception):
    """What a broken flow raises in these tests."""


class Boom(Exception):
    """What fails in these tests."""


def on_thread(work: Callable[..., T], *args: Any) -> Future[T]:
    """Run `work` on a thread of its own."""
    future: Future[T] = Future()

    def main() -> None:
        try:
            future.set_result(work(*args))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=main, daemon=True).start()
    return future


async def result(future: Future[T]) -> T:
    """What came of work on a thread, awaited on a loop."""
    return await soon(asyncio.wrap_future(future))


async def soon(work: Awaitable[T]) -> T:
    """The result of `work`, which may not take long."""
    return await asyncio.wait_for(work, BOUND)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until `condition` is true."""

    async def turn() -> None:
        while not condition():
            await asyncio.sleep(0)

    await soon(turn())


async def waiting(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task that runs up to its first wait."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    assert not task.done()
    return task


def run(kind: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on a new loop, in debug mode."""
    with asyncio.Runner(debug=True, loop_factory=LOOPS[kind]) as runner:
        return runner.run(asyncio.wait_for(work(), 4 * BOUND))
