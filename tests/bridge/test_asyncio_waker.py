"""What wakes an asyncio loop from another thread: a counter of the kernel's, or the loop's own pipe."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from anysgi._bridge import _asyncio_waker
from anysgi._bridge._asyncio_waker import Waker, waker

from ._sides import Boom, on_thread, result, soon

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_eventfd = pytest.mark.skipif(not hasattr(os, "eventfd"), reason="eventfd is Linux's")
variable: ContextVar[str] = ContextVar("variable")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@needs_eventfd
def test_a_loop_has_one_counter_for_all_who_wake_it(loop: asyncio.AbstractEventLoop) -> None:
    assert waker(loop) == waker(loop)


@needs_eventfd
def test_a_loop_that_sleeps_is_woken_and_runs_what_it_was_given_in_order(loop: asyncio.AbstractEventLoop) -> None:
    wake, got = waker(loop), []

    async def main() -> None:
        done = asyncio.Event()

        def work() -> None:
            for number in range(100):
                wake(lambda number=number: got.append(number))
            wake(done.set)

        working = on_thread(work)
        await soon(done.wait())
        await result(working)

    loop.run_until_complete(main())
    assert got == list(range(100))


@needs_eventfd
def test_a_call_that_fails_holds_up_nobody_behind_it(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[Any] = []
    loop.set_exception_handler(lambda _, context: seen.append(type(context["exception"])))
    wake = waker(loop)

    def fail() -> None:
        raise Boom

    async def main() -> None:
        done = asyncio.Event()
        for call in (fail, fail, done.set):
            wake(call)
        await soon(done.wait())

    loop.run_until_complete(main())
    assert seen == [Boom, Boom]


@needs_eventfd
def test_an_interrupt_that_comes_right_after_the_counter_was_read_loses_no_call(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, interrupts = os.eventfd_read, [KeyboardInterrupt]

    def interrupted(fd: int) -> int:
        count = read(fd)
        if interrupts:
            raise interrupts.pop()
        return count

    monkeypatch.setattr(_asyncio_waker.os, "eventfd_read", interrupted)
    done: list[str] = []
    waker(loop)(lambda: (done.append("called"), loop.stop()))
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    stopped = loop.call_later(5.0, loop.stop)
    loop.run_forever()
    stopped.cancel()
    assert done == ["called"]


@needs_eventfd
def test_what_a_loop_is_woken_for_sees_nobody_elses_context(loop: asyncio.AbstractEventLoop) -> None:
    variable.set("of the first request")
    wake, got = waker(loop), []

    async def main() -> None:
        done = asyncio.Event()
        wake(lambda: got.append(variable.get(None)))
        wake(done.set)
        await soon(done.wait())

    loop.run_until_complete(main())
    assert got == [None]


@needs_eventfd
def test_the_counter_goes_with_its_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    monkeypatch.setattr(Waker.__del__, "__defaults__", (lambda fd: (closed.append(fd), os.close(fd)),))
    loop = asyncio.new_event_loop()
    waker(loop)
    loop.close()
    del loop
    gc.collect()
    assert len(closed) == 1


def test_a_system_without_eventfd_uses_the_loops_own_pipe(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(_asyncio_waker.os, "eventfd", raising=False)
    assert waker(loop) == loop.call_soon_threadsafe


@needs_eventfd
def test_a_process_without_a_file_descriptor_left_uses_the_loops_own_pipe(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(_asyncio_waker.os, "eventfd", fail)
    assert waker(loop) == loop.call_soon_threadsafe
