"""News that come in the very moment in which a side lies down to sleep: none may be missed, or it sleeps for ever.

A side raises its mark, looks once more, then sleeps.  The news come right before the mark is raised, or right after.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from anysgi._bridge._asyncio import AsyncioPort
from anysgi._bridge._to_loop import ToLoop
from anysgi._bridge._to_thread import ToThread

from ._sides import Boom, Gone, on_thread, result, soon, until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio
WHEN = pytest.mark.parametrize("early", [True, False], ids=["before", "after"])


def mark(name: str) -> Any:
    """An attribute that calls `self.surprise(self)` once, when it is raised."""

    def raised(self: Any, value: bool) -> None:
        news = None
        if value:
            news, self.surprise = self.surprise, None
        if news is not None and self.early:
            news(self)
        self.marks[name] = value
        if news is not None and not self.early:
            news(self)

    return property(lambda self: self.marks.get(name, False), raised)


class SlyToLoop(ToLoop):
    surprise: Callable[[ToLoop], None] | None

    def __init__(self, mark: str, news: Callable[[ToLoop], None], early: bool = False, window: int = 10_000) -> None:
        self.early = early
        self.marks: dict[str, bool] = {}
        self.surprise = None
        super().__init__(AsyncioPort(asyncio.get_running_loop()), window)
        self.__class__ = type("Sly", (SlyToLoop,), {mark: globals()["mark"](mark)})
        self.surprise = news


class SlyToThread(ToThread):
    surprise: Callable[[ToThread], object] | None

    def __init__(
        self, mark: str, news: Callable[[ToThread], object], early: bool = False, window: int = 10_000
    ) -> None:
        self.early = early
        self.marks: dict[str, bool] = {}
        self.surprise = None
        super().__init__(AsyncioPort(asyncio.get_running_loop()), window)
        self.__class__ = type("Sly", (SlyToThread,), {mark: globals()["mark"](mark)})
        self.surprise = news


ARRIVALS: dict[str, Callable[[ToLoop], None]] = {
    "a chunk": lambda flow: flow.put(b"x"),
    "the end": lambda flow: flow.end(),
    "a failure": lambda flow: flow.finish(Boom()),
    "a break": lambda flow: flow.break_(Gone),
}


@WHEN
@pytest.mark.parametrize("news", ARRIVALS.values(), ids=ARRIVALS)
async def test_a_loop_that_is_about_to_wait_for_bytes(news: Callable[[ToLoop], None], early: bool) -> None:
    flow = SlyToLoop("_parked", news, early)
    try:
        piece, _ = await soon(flow.take())
    except (Boom, Gone):
        assert flow.broken or flow.done
    else:
        assert piece == b"x" or flow.ended


@WHEN
async def test_a_loop_that_is_about_to_wait_for_news(early: bool) -> None:
    flow = SlyToLoop("_parked", ARRIVALS["a chunk"], early)
    await soon(flow.news())
    assert flow.ready


@WHEN
async def test_a_loop_that_is_about_to_wait_for_the_thread(early: bool) -> None:
    flow = SlyToLoop("_parked", lambda flow: flow.finish(), early)
    await soon(flow.finished())
    assert flow.done


async def test_a_loop_that_is_woken_for_something_else_waits_on_for_the_thread() -> None:
    flow = SlyToLoop("_parked", lambda flow: flow.break_(Gone))
    finishing = asyncio.ensure_future(flow.finished())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not finishing.done()
    flow.finish()
    await soon(finishing)


async def test_a_loop_that_is_woken_for_nothing_waits_on_for_bytes() -> None:
    flow = ToLoop(AsyncioPort(asyncio.get_running_loop()), 10_000)
    taking, watching = asyncio.ensure_future(flow.take()), asyncio.ensure_future(flow.gone())
    for _ in range(5):
        await asyncio.sleep(0)
        flow._bell.ring()
    assert not taking.done()
    assert not watching.done()
    flow.break_(Gone)
    await soon(watching)
    with pytest.raises(Gone):
        await soon(taking)


def credit(flow: ToLoop) -> None:
    flow._chunks.clear()
    flow._out = flow._made
    flow.credit()


@WHEN
@pytest.mark.parametrize(
    ("news", "told"), [(credit, False), (lambda flow: flow.break_(Gone), True)], ids=["room", "break"]
)
async def test_a_thread_that_is_about_to_wait_for_room(news: Callable[[ToLoop], None], told: bool, early: bool) -> None:
    flow = SlyToLoop("_blocked", news, early, window=100)
    flow.put(b"x")
    putting = on_thread(flow.put, b"y" * 100)
    if told:
        with pytest.raises(Gone):
            await result(putting)
    else:
        await result(putting)
        assert list(flow._chunks) == [b"y" * 100]


FEEDS: dict[str, Callable[[ToThread], object]] = {
    "a chunk": lambda flow: flow.feed(b"x"),
    "the end": lambda flow: flow.end(),
    "the end with a chunk": lambda flow: flow.end(b"x"),
    "a break": lambda flow: flow.break_(Gone),
    "a nudge": lambda flow: flow.nudge(),
}


@WHEN
@pytest.mark.parametrize("event", FEEDS)
async def test_a_thread_that_is_about_to_wait_for_bytes(event: str, early: bool) -> None:
    flow = SlyToThread("_parked", FEEDS[event], early)
    assert await result(on_thread(flow.wait)) is True


ROOMS: dict[str, Callable[[ToThread], object]] = {
    "room": lambda flow: flow.take(),
    "a break": lambda flow: flow.break_(Gone),
}


@WHEN
@pytest.mark.parametrize("news", ROOMS.values(), ids=ROOMS)
async def test_a_loop_that_is_about_to_wait_for_room(news: Any, early: bool) -> None:
    flow = SlyToThread("_stalled", news, early, window=100)
    flow.feed(b"x" * 100)
    assert flow.full
    await soon(flow.room())


async def test_a_loop_that_is_woken_for_nothing_waits_on_for_room() -> None:
    flow = ToThread(AsyncioPort(asyncio.get_running_loop()), 100)
    flow.feed(b"x" * 100)
    room = asyncio.ensure_future(flow.room())
    for _ in range(5):
        await asyncio.sleep(0)
        flow._bell.ring()
    assert not room.done()
    assert await result(on_thread(flow.take)) == b"x" * 100
    await until(room.done)
    await room
