"""`ToLoop`, bytes from a thread to a loop: order, pieces, the window, and waits that are cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from anysgi._bridge._asyncio import AsyncioPort
from anysgi._bridge._pieces import LEAST, PIECE
from anysgi._bridge._to_loop import ToLoop
from tests.conftest import eventually

from ._sides import Gone, on_thread, result, soon, until, waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.anyio


def new(window: int = 262_144) -> ToLoop:
    return ToLoop(AsyncioPort(asyncio.get_running_loop()), window)


def make(flow: ToLoop, chunks: Iterable[bytes]) -> None:
    """What a thread does."""
    for chunk in chunks:
        flow.put(chunk)
    flow.end()
    flow.finish()


async def taken(flow: ToLoop) -> list[bytes]:
    """Every piece up to the end, each credited as soon as it is here."""
    pieces, more = [], True
    while more:
        piece, more = await soon(flow.take())
        pieces.append(piece)
        flow.credit()
    return pieces


async def test_bytes_arrive_complete_and_in_order() -> None:
    flow = new(window=500)
    chunks = [b"%d," % number for number in range(1_000)]
    maker = on_thread(make, flow, chunks)
    assert b"".join(await taken(flow)) == b"".join(chunks)
    await result(maker)
    await soon(flow.finished())


async def test_a_chunk_is_not_held_back_for_others_to_come() -> None:
    flow = new()
    for chunk in (b"first", b"second"):
        taking = await waiting(flow.take())
        await result(on_thread(flow.put, chunk))
        assert await soon(taking) == (chunk, True)


async def test_small_chunks_that_piled_up_leave_joined() -> None:
    flow = new()
    make(flow, [b"a", b"b", b"", b"c"])
    assert await soon(flow.take()) == (b"abc", False)


async def test_a_single_chunk_is_handed_on_as_it_is() -> None:
    flow, chunk = new(), b"x" * (PIECE + 1)
    flow.put(chunk)
    assert (await soon(flow.take()))[0] is chunk


async def test_no_joined_piece_is_larger_than_a_piece() -> None:
    flow = new(window=10 * PIECE)
    sizes = [1, PIECE, PIECE - 1, 1, 1, PIECE - 2, 2, PIECE + 5, 1]
    make(flow, [b"x" * size for size in sizes])
    assert [len(piece) for piece in await taken(flow)] == [1, PIECE, PIECE, PIECE - 1, 2, PIECE + 5, 1]


async def test_the_last_of_several_pieces_says_so() -> None:
    flow = new()
    make(flow, [b"x" * PIECE, b"y"])
    assert (await soon(flow.take()))[1] is True
    assert await soon(flow.take()) == (b"y", False)


async def test_the_last_chunk_can_bring_the_end_along() -> None:
    flow = new()
    taking = await waiting(flow.take())
    flow.put(b"all", last=True)
    assert flow.ended
    assert await soon(taking) == (b"all", False)


async def test_the_maker_runs_ahead_up_to_the_window_and_then_waits() -> None:
    flow, put = new(window=400), []

    def work() -> None:
        for number in range(8):
            flow.put(b"x" * 100)
            put.append(number)

    maker = on_thread(work)
    assert eventually(lambda: flow._blocked)
    assert len(put) == 4
    await soon(flow.take())
    assert flow._blocked
    assert len(put) == 4  # taken is not sent: only credit makes room
    flow.credit()
    await until(lambda: len(put) == 8)
    await result(maker)


async def test_the_maker_is_woken_once_half_the_window_is_free() -> None:
    chunk = b"x" * PIECE
    flow = new(window=4 * PIECE)
    maker = on_thread(make, flow, [chunk] * 5)
    assert eventually(lambda: flow._blocked)
    await soon(flow.take())
    flow.credit()
    assert flow._gate.locked()
    await soon(flow.take())
    flow.credit()
    await result(maker)
    assert [len(piece) for piece in await taken(flow)] == [len(chunk)] * 3


@pytest.mark.parametrize("window", [1, LEAST, 1_000])
async def test_a_chunk_larger_than_the_window_waits_for_an_empty_one(window: int) -> None:
    flow = new(window)
    maker = on_thread(make, flow, [b"x" * 2_000] * 3)
    assert eventually(lambda: flow._blocked)
    assert flow._made - flow._taken == 2_000
    assert await taken(flow) == [b"x" * 2_000] * 3
    await result(maker)


async def test_empty_chunks_do_not_pile_up_without_end() -> None:
    flow = new(window=10 * LEAST)
    maker = on_thread(make, flow, [b""] * 100)
    assert eventually(lambda: flow._blocked)
    assert len(flow._chunks) == 10
    assert b"".join(await taken(flow)) == b""
    await result(maker)


async def test_a_cancelled_take_loses_nothing() -> None:
    flow = new()
    taking = await waiting(flow.take())
    taking.cancel()
    await result(on_thread(make, flow, [b"body"]))
    with pytest.raises(asyncio.CancelledError):
        await soon(taking)
    assert await taken(flow) == [b"body"]


async def test_a_take_cancelled_after_its_bytes_came_loses_nothing() -> None:
    """The ring is on its way when the cancellation arrives."""
    flow = new()
    taking = await waiting(flow.take())
    flow.put(b"body", last=True)
    flow._bell.ring()
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(taking)
    assert await taken(flow) == [b"body"]


async def test_of_several_takers_each_piece_goes_to_one() -> None:
    flow, pieces = new(window=100), []

    async def take() -> None:
        more = True
        while more:
            piece, more = await flow.take()
            pieces.append(piece)
            flow.credit()

    takers = [await waiting(take()) for _ in range(3)]
    chunks = [b"%d," % number for number in range(300)]
    await result(on_thread(make, flow, chunks))
    await soon(asyncio.gather(*takers))
    assert b"".join(pieces) == b"".join(chunks)


async def test_finished_comes_after_the_end() -> None:
    flow = new()
    finishing = await waiting(flow.finished())
    flow.put(b"x", last=True)
    await soon(flow.take())
    assert flow.ended
    assert not flow.done
    assert not finishing.done()
    await result(on_thread(flow.finish))
    await soon(finishing)
    assert flow.done


async def test_gone_waits_for_the_break_alone() -> None:
    flow = new()
    watching = await waiting(flow.gone())
    taking = await waiting(flow.take())
    await result(on_thread(flow.put, b"x"))
    await soon(taking)
    assert not watching.done()
    flow.break_(Gone)
    await soon(watching)


async def test_no_wake_up_is_paid_while_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, posts = new(), []
    monkeypatch.setattr(AsyncioPort, "post", lambda port, call: posts.append(call))
    make(flow, [b"x"] * 100)
    assert posts == []


async def test_one_wake_up_is_paid_however_much_comes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, posts = new(), []
    taking = await waiting(flow.take())
    monkeypatch.setattr(AsyncioPort, "post", lambda port, call: posts.append(call))
    make(flow, [b"x"] * 100)
    assert len(posts) == 1
    posts[0]()
    assert await soon(taking) == (b"x" * 100, False)


async def test_news_are_waited_for_without_being_taken() -> None:
    flow = new()
    listening = await waiting(flow.news())
    await result(on_thread(flow.put, b"x"))
    await soon(listening)
    await soon(flow.news())
    assert flow.ready
    assert await soon(flow.take()) == (b"x", True)


@pytest.mark.parametrize("error", [None, ValueError()])
async def test_a_flow_is_clean_once_its_thread_is_through_and_left_no_error(error: Exception | None) -> None:
    flow = new()
    flow.end()
    assert not flow.clean
    flow.finish(error)
    assert flow.clean is (error is None)
