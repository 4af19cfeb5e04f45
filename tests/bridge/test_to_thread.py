"""`ToThread`, bytes from a loop to a thread: order, pieces, the window, ends, and what wakes a waiting thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

import pytest

from anysgi._bridge._asyncio import AsyncioPort
from anysgi._bridge._pieces import LEAST, PIECE
from anysgi._bridge._to_thread import ToThread
from tests.conftest import BOUND, eventually

from ._sides import Gone, on_thread, result, soon, until, waiting

pytestmark = pytest.mark.anyio


def new(window: int = 262_144) -> ToThread:
    return ToThread(AsyncioPort(asyncio.get_running_loop()), window)


def taken(flow: ToThread) -> list[bytes]:
    """What a thread does: every piece up to the end."""
    pieces = []
    while not flow.ended:
        piece = flow.take()
        if piece:
            pieces.append(piece)
        elif not flow.ended:
            assert flow.wait(BOUND)
    return pieces


async def make(flow: ToThread, chunks: list[bytes]) -> None:
    """What a loop does."""
    for chunk in chunks:
        await flow.room()
        flow.feed(chunk)
    flow.end()


async def test_bytes_arrive_complete_and_in_order() -> None:
    flow, chunks = new(window=500), [b"%d," % number for number in range(1_000)]
    taker = on_thread(taken, flow)
    await soon(make(flow, chunks))
    assert b"".join(await result(taker)) == b"".join(chunks)


async def test_a_chunk_is_not_held_back_for_others_to_come() -> None:
    flow = new()
    for chunk in (b"first", b"second"):
        waits = on_thread(flow.wait, BOUND)
        assert eventually(lambda: flow._parked)
        flow.feed(chunk)
        assert await result(waits) is True
        assert flow.take() == chunk


async def test_small_chunks_that_piled_up_are_taken_joined() -> None:
    flow = new()
    for size in [1, PIECE, PIECE - 1, 1, 1, PIECE - 2, 2, PIECE + 5, 1]:
        flow.feed(b"x" * size)
    flow.end()
    assert [len(piece) for piece in taken(flow)] == [1, PIECE, PIECE, PIECE - 1, 2, PIECE + 5, 1]
    assert flow.held == 0


async def test_a_single_chunk_is_handed_on_as_it_is() -> None:
    flow, chunk = new(), b"x" * 10
    flow.feed(chunk)
    assert flow.take() is chunk


async def test_the_loop_waits_once_the_window_is_full_and_until_all_of_it_was_taken() -> None:
    chunk = b"x" * PIECE
    flow = new(window=4 * PIECE)
    for _ in range(3):
        flow.feed(chunk)
    assert not flow.full
    await soon(flow.room())
    flow.feed(chunk)
    assert flow.full
    assert flow.held == 4 * PIECE
    room = await waiting(flow.room())
    for _ in range(3):
        flow.take()
        assert not flow.full
        assert flow._stalled  # a part of the window is not worth a wake-up
    flow.take()
    await soon(room)
    assert not flow._stalled


async def test_several_coroutines_wait_for_room() -> None:
    flow = new(window=100)
    flow.feed(b"x" * 100)
    rooms = [await waiting(flow.room()) for _ in range(3)]
    rooms[0].cancel()
    await result(on_thread(flow.take))
    await soon(asyncio.gather(*rooms[1:]))


async def test_empty_chunks_fill_the_window_as_well() -> None:
    flow = new(window=10 * LEAST)
    for _ in range(10):
        flow.feed(b"")
    assert flow.full


async def test_a_break_makes_waiting_for_room_pointless() -> None:
    flow = new(window=1)
    flow.feed(b"x")
    room = await waiting(flow.room())
    flow.break_(Gone)
    await soon(room)
    await soon(flow.room())


class Late(Exception):
    pass


EVENTS: dict[str, Callable[[ToThread], object]] = {
    "feed": lambda flow: flow.feed(b"x"),
    "end": lambda flow: flow.end(),
    "break": lambda flow: flow.break_(Gone),
    "break again": lambda flow: flow.break_(Late),
}
Outcome: TypeAlias = bytes | type[BaseException]

# After these events: what `take` gives, one after another, and then: ended, broken.
TAKES: dict[str, tuple[list[Outcome], bool, bool]] = {
    "feed": ([b"x", b""], False, False),
    "feed, feed": ([b"xx", b""], False, False),
    "feed, end": ([b"x", b""], True, False),
    "end": ([b""], True, False),
    "break": ([Gone, Gone], False, True),
    "feed, break": ([b"x", Gone], False, True),
    "feed, feed, break": ([b"xx", Gone], False, True),
    "feed, end, break": ([b"x", b""], True, True),
    "feed, break, end": ([b"x", b""], True, True),
    "break, break again": ([Gone], False, True),
}


def outcome(flow: ToThread) -> Outcome:
    try:
        return flow.take()
    except Exception as error:
        return type(error)


@pytest.mark.parametrize(("events", "takes"), TAKES.items())
async def test_what_comes_out_after_what_went_in(events: str, takes: tuple[list[Outcome], bool, bool]) -> None:
    flow = new()
    for event in events.split(", "):
        EVENTS[event](flow)
    outcomes, ended, broken = takes
    assert [outcome(flow) for _ in outcomes] == outcomes
    assert (flow.ended, flow.broken is not None) == (ended, broken)


async def test_the_end_comes_after_the_last_byte_was_taken() -> None:
    flow = new()
    flow.feed(b"x")
    flow.end()
    assert not flow.ended
    flow.take()
    assert flow.ended


WAKING: dict[str, Callable[[ToThread], object]] = {
    **EVENTS,
    "nudge": lambda flow: flow.nudge(),
}


@pytest.mark.parametrize("event", WAKING)
async def test_a_waiting_thread_is_woken_by(event: str) -> None:
    flow = new()
    waits = on_thread(flow.wait)
    assert eventually(lambda: flow._parked)
    WAKING[event](flow)
    assert await result(waits) is True


@pytest.mark.parametrize("event", WAKING)
async def test_a_thread_that_comes_later_does_not_wait(event: str) -> None:
    flow = new()
    WAKING[event](flow)
    assert await result(on_thread(flow.wait)) is True


async def test_a_nudge_is_heard_once() -> None:
    flow = new()
    flow.nudge()
    assert flow.wait(0) is True
    assert flow.wait(0) is False


async def test_a_wait_is_over_in_time() -> None:
    flow = new()
    assert flow.wait(0) is False
    assert await result(on_thread(flow.wait, 0.001)) is False
    flow.feed(b"x")
    assert flow.wait(0) is True


async def test_the_last_chunk_and_the_end_come_with_one_wake_up() -> None:
    flow = new()
    waits = on_thread(flow.wait)
    assert eventually(lambda: flow._parked)
    assert not flow.closed
    flow.end(b"last")
    assert flow.closed
    assert await result(waits) is True
    assert not flow.ended
    assert flow.take() == b"last"
    assert flow.ended


async def test_the_maker_hears_when_the_window_is_full() -> None:
    flow = new(window=1_000)
    assert not flow.feed(b"x" * 999)
    assert flow.feed(b"x")
    flow.take()
    assert not flow.feed(b"x")


async def test_the_taker_pays_for_no_wake_up_while_the_loop_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, posts = new(), []
    monkeypatch.setattr(AsyncioPort, "post", lambda port, call: posts.append(call))
    for _ in range(100):
        flow.feed(b"x")
        flow.take()
    assert posts == []


async def test_two_who_open_the_gate_at_once_do_not_trip_over_each_other() -> None:
    flow = new()

    class Gate:
        """Looks locked to both; the second to release it is too late."""

        def locked(self) -> bool:
            return True

        def release(self) -> None:
            raise RuntimeError("release unlocked lock")

    flow._gate = Gate()  # type: ignore[assignment]
    flow.break_(Gone)
    assert flow.broken


async def test_a_cancelled_wait_for_room_costs_nobody_a_byte() -> None:
    flow = new(window=100)
    flow.feed(b"x" * 100)
    room = await waiting(flow.room())
    room.cancel()
    await until(room.done)
    flow.feed(b"y")
    flow.end()
    assert b"".join(taken(flow)) == b"x" * 100 + b"y"
