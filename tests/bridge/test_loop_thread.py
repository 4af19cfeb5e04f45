"""`LoopThread` and `shared_loop`: a loop on a thread of its own, one of a kind in a process, ended after its guests."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import types
from typing import TYPE_CHECKING

import pytest
import uvloop

from anysgi._bridge import _asyncio, _loop_thread
from anysgi._bridge._loop_thread import LoopThread, shared_loop
from tests.conftest import BOUND, eventually

from ._sides import LOOPS, Boom, on_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anysgi.types import LoopName


@pytest.fixture(params=LOOPS)
def name(request: pytest.FixtureRequest) -> LoopName:
    kind: LoopName = request.param
    return kind


@pytest.fixture
def loop(name: LoopName) -> Iterator[LoopThread]:
    loop = LoopThread(name)
    yield loop
    loop.stop()


async def nothing() -> None:
    pass


async def never() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise Boom


def test_the_loop_is_of_the_kind_that_was_asked_for(loop: LoopThread, name: LoopName) -> None:
    assert isinstance(loop.port.loop, uvloop.Loop) is (name == "uvloop")
    assert loop.running


def test_its_thread_is_named_and_keeps_no_process_alive(loop: LoopThread, name: LoopName) -> None:
    assert loop._thread.name == f"anysgi-loop-{name}"
    assert loop._thread.daemon


def test_a_coroutine_runs_on_the_loop_and_is_waited_for(loop: LoopThread) -> None:
    where: list[threading.Thread] = []

    async def work() -> None:
        await asyncio.sleep(0)
        where.append(threading.current_thread())

    loop.port.run(work())
    assert where == [loop._thread]


def test_what_the_coroutine_raises_is_raised(loop: LoopThread) -> None:
    with pytest.raises(Boom):
        loop.port.run(fail())


def test_a_coroutine_that_takes_too_long_is_cancelled(loop: LoopThread) -> None:
    cancelled = threading.Event()

    async def work() -> None:
        try:
            await never()
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError):
        loop.port.run(work(), 0.05)
    assert cancelled.wait(BOUND)


def test_posts_reach_the_loop(loop: LoopThread) -> None:
    done = threading.Event()
    loop.port.post(done.set)
    assert done.wait(BOUND)


def test_waiting_for_the_loop_on_its_own_thread_is_refused(loop: LoopThread) -> None:
    async def work() -> None:
        loop.port.refuse_here()

    loop.port.refuse_here()
    with pytest.raises(RuntimeError, match="on its own event loop's thread"):
        loop.port.run(work())


def test_stop_cancels_what_is_left_and_closes_the_loop(name: LoopName) -> None:
    loop = LoopThread(name)
    tidied, started = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await never()
        finally:
            tidied.set()

    running = on_thread(lambda: asyncio.run_coroutine_threadsafe(work(), loop.port.loop))
    future = running.result(BOUND)
    assert started.wait(BOUND)
    loop.stop()
    assert tidied.is_set()
    assert future.cancelled()
    assert not loop.running
    assert loop.port.loop.is_closed()
    loop.port.post(Boom)


class Guest:
    def __init__(self, log: list[str], name: str, error: Exception | None = None) -> None:
        self.log, self.name, self.error = log, name, error
        self.loop: LoopThread | None = None

    def leave(self) -> None:
        assert self.loop is None or self.loop.running
        self.log.append(self.name)
        if self.error is not None:
            raise self.error


def test_stop_has_the_guests_leave_first_and_all_of_them(name: LoopName, caplog: pytest.LogCaptureFixture) -> None:
    loop, log = LoopThread(name), []
    guests = [Guest(log, "a"), Guest(log, "b", Boom()), Guest(log, "c", Boom()), Guest(log, "d")]
    for guest in guests:
        guest.loop = loop
        loop.port.guests.add(guest)
    with caplog.at_level(logging.ERROR, "anysgi"):
        loop.stop()
    assert sorted(log) == ["a", "b", "c", "d"]
    assert not loop.running
    assert len(caplog.records) == 2
    assert "did not leave the event loop cleanly" in caplog.text


def test_a_loop_that_does_not_end_is_logged_and_left_behind(name: LoopName, caplog: pytest.LogCaptureFixture) -> None:
    loop, release = LoopThread(name), threading.Event()
    loop.port.post(lambda: release.wait(BOUND))
    with caplog.at_level(logging.WARNING, "anysgi"):
        loop.stop(0.01)
    assert "the event loop thread did not end within 0.0 s" in caplog.text
    release.set()
    assert eventually(lambda: not loop.running)


def test_uwsgi_without_threads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    uwsgi = types.ModuleType("uwsgi")
    uwsgi.opt = {"master": True}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    with pytest.raises(RuntimeError, match="--enable-threads"):
        LoopThread("asyncio")
    uwsgi.opt = {"threads": b"4"}  # type: ignore[attr-defined]
    LoopThread("asyncio").stop()


def test_a_place_without_threads_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """An isolated sub-interpreter."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("thread is not supported for isolated subinterpreters")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="WSGIApplicationGroup"):
        LoopThread("asyncio")


def test_a_loop_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of file descriptors, say."""

    def make(name: str) -> asyncio.AbstractEventLoop:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(_asyncio, "new_loop", make)
    with pytest.raises(RuntimeError, match=r"the event loop did not start: .*Too many open files") as caught:
        on_thread(LoopThread, "asyncio").result(BOUND)
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("error", [SystemExit("not an Exception"), KeyboardInterrupt()], ids=repr)
def test_a_task_that_would_end_the_loop_is_logged_and_the_loop_goes_on(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    loop = LoopThread("asyncio")

    def fail() -> None:
        raise error

    loop.port.loop.call_soon_threadsafe(fail)
    assert eventually(lambda: "which ends an event loop" in caplog.text)
    done = threading.Event()
    assert loop.port.post(done.set)
    assert done.wait(BOUND)
    loop.stop()
    assert not loop.running


def test_a_loop_that_has_ended_says_so_to_those_who_post_and_forgets_nobody_who_came_before() -> None:
    loop = LoopThread("asyncio")
    loop.stop()
    called: list[str] = []
    loop.port._calls.append(lambda: called.append("late"))
    loop.port.close()
    assert called == ["late"]
    assert loop.port.post(lambda: called.append("never")) is False
    assert called == ["late"]


def test_uvloop_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(ImportError, match="needs uvloop: pip install uvloop"):
        LoopThread("uvloop")


def test_a_process_has_one_loop_of_a_kind() -> None:
    loops = [on_thread(shared_loop, "asyncio").result(BOUND) for _ in range(4)]
    assert len(set(loops)) == 1
    assert shared_loop("uvloop") is not loops[0]
    assert shared_loop("uvloop") is shared_loop("uvloop")


def test_a_shared_loop_that_ended_is_replaced() -> None:
    first = shared_loop("asyncio")
    first.stop()
    second = shared_loop("asyncio")
    assert second is not first
    assert second.running


def test_stopping_the_shared_loops_stops_them_all() -> None:
    loops = [shared_loop("asyncio"), shared_loop("uvloop")]
    _loop_thread._shared.stop()
    assert not any(loop.running for loop in loops)
    assert shared_loop("asyncio") not in loops


AT_EXIT = """
import asyncio
from anysgi._bridge._loop_thread import shared_loop

loop = shared_loop("asyncio")

class Guest:
    def leave(self):
        loop.port.run(self.work())
    async def work(self):
        print(await asyncio.to_thread(lambda: "left, and threads still work"))

loop.port.guests.add(Guest())
print("main is over")
"""


def test_at_exit_guests_leave_while_executors_still_work() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT], capture_output=True, timeout=2 * BOUND, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["main is over", "left, and threads still work"]


def test_importing_it_starts_nothing() -> None:
    program = "import threading, anysgi._bridge._loop_thread, anysgi; print(threading.active_count())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=2 * BOUND, text=True, check=True
    )
    assert done.stdout == "1\n"
