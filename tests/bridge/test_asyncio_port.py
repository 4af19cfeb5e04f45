"""`AsyncioPort`, the way into a loop from any thread, and how the port of the running loop is found."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from anysgi._bridge._asyncio import AsyncioPort
from anysgi._bridge._ports import running_port, to_thread
from tests.conftest import BOUND

from ._sides import Boom, on_thread, result, soon, until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


def port() -> AsyncioPort:
    return AsyncioPort(asyncio.get_running_loop())


class Loop:
    """Counts its wake-ups; turns when told."""

    def __init__(self) -> None:
        self.wakes: list[Callable[[], None]] = []
        self.turns: list[Callable[[], None]] = []

    def is_closed(self) -> bool:
        return False

    def call_soon_threadsafe(self, call: Callable[[], None]) -> None:
        self.wakes.append(call)

    def call_soon(self, call: Callable[[], None]) -> None:
        self.turns.append(call)

    def turn(self) -> None:
        calls, self.wakes, self.turns = [*self.wakes, *self.turns], [], []
        for call in calls:
            call()


def test_posts_that_pile_up_share_one_wake_up() -> None:
    loop: Any = Loop()
    to, done = AsyncioPort(loop), []
    for number in range(5):
        to.post(lambda number=number: done.append(number))
    assert len(loop.wakes) == 1
    assert done == []
    loop.turn()
    assert done == [0, 1, 2, 3, 4]


def test_a_post_after_the_wake_up_wakes_anew() -> None:
    loop: Any = Loop()
    to, done = AsyncioPort(loop), []
    for number in range(3):
        to.post(lambda number=number: done.append(number))
        loop.turn()
        assert done[-1] == number
    assert loop.wakes == []


def test_what_is_posted_by_a_post_runs_in_the_next_turn() -> None:
    """Else a call that posts itself would keep the loop from everything else."""
    loop: Any = Loop()
    to, done = AsyncioPort(loop), []
    to.post(lambda: to.post(lambda: done.append("inner")))
    loop.turn()
    assert done == []
    assert len(loop.wakes) == 1
    loop.turn()
    assert done == ["inner"]


def test_calls_for_the_next_turn_share_it_and_posts_until_then_wake_nobody() -> None:
    loop: Any = Loop()
    to, done = AsyncioPort(loop), []
    to.soon(lambda: done.append("soon"))
    to.soon(lambda: done.append("as soon"))
    to.post(lambda: done.append("posted"))
    assert (len(loop.turns), loop.wakes, done) == (1, [], [])
    loop.turn()
    assert done == ["soon", "as soon", "posted"]
    to.post(lambda: done.append("later"))
    assert len(loop.wakes) == 1


async def test_posts_arrive_while_the_loop_keeps_itself_awake() -> None:
    """A thread that relies on a turn that is due loses nothing: whoever posts waits until that was heard."""
    to, heard, over = port(), threading.Event(), threading.Event()

    def keep_turning() -> None:
        if not over.is_set():
            to.soon(bool)
            to.loop.call_later(0, keep_turning)

    def post() -> None:
        for _ in range(2_000):
            heard.clear()
            to.post(heard.set)
            assert heard.wait(BOUND)

    keep_turning()
    try:
        await result(on_thread(post))
    finally:
        over.set()


async def test_posts_of_many_threads_all_arrive_and_each_in_order() -> None:
    to, got = port(), []

    def post(name: int) -> None:
        for number in range(500):
            to.post(lambda number=number: got.append((name, number)))

    threads = [on_thread(post, name) for name in range(4)]
    for thread in threads:
        await result(thread)
    await until(lambda: len(got) == 2_000)
    for name in range(4):
        assert [number for who, number in got if who == name] == list(range(500))


async def test_a_post_that_fails_does_not_hold_up_those_behind_it() -> None:
    loop, seen = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
    to, done = port(), asyncio.Event()

    def fail() -> None:
        raise Boom

    to.post(fail)
    to.post(fail)
    to.post(done.set)
    await soon(done.wait())
    assert [type(error) for error in seen] == [Boom, Boom]


def test_a_closed_loop_drops_posts_without_a_word() -> None:
    loop = asyncio.new_event_loop()
    to = AsyncioPort(loop)
    loop.close()
    assert not to.post(Boom)
    to.post(Boom)
    assert not to._calls


async def test_it_knows_whether_it_is_here() -> None:
    to = port()
    assert to.is_here()
    assert not await result(on_thread(to.is_here))


def test_a_loop_that_does_not_run_is_not_here() -> None:
    loop = asyncio.new_event_loop()
    assert not AsyncioPort(loop).is_here()
    loop.close()


async def test_a_running_loop_has_a_port() -> None:
    assert running_port().loop is asyncio.get_running_loop()


def test_without_a_running_loop_there_is_advice() -> None:
    with pytest.raises(RuntimeError, match=r"no running event loop.*; await the adapter inside one"):
        running_port()


def test_without_asyncio_there_is_the_same_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "asyncio")
    with pytest.raises(RuntimeError, match="no running event loop"):
        running_port()


async def test_a_blocking_call_can_be_awaited() -> None:
    here, there = asyncio.get_running_loop(), []

    def work() -> None:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        there.append(here.is_running())

    await soon(to_thread(work))
    assert there == [True]


async def test_another_greenlet_of_the_loops_thread_is_not_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio's running loop is one for a thread of the system; gevent's `get_ident` tells its greenlets apart."""
    port = AsyncioPort(asyncio.get_running_loop())
    assert port.is_here()
    monkeypatch.setattr("anysgi._bridge._asyncio.get_ident", lambda: 0)
    assert not port.is_here()
