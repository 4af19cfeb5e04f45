"""Both flows under any interleaving of a real thread and a real loop: no byte is lost, nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anysgi._bridge._asyncio import AsyncioPort
from anysgi._bridge._pieces import LEAST
from anysgi._bridge._to_loop import ToLoop
from anysgi._bridge._to_thread import ToThread
from tests.conftest import BOUND

from ._sides import LOOPS, Boom, Gone, on_thread, result, run, soon

SIZES = st.lists(st.one_of(st.integers(0, 10), st.integers(0, 3_000), st.just(70_000)), max_size=20)
WINDOWS = st.one_of(st.integers(1, 3 * LEAST), st.integers(1, 10_000), st.just(262_144))
LOOP = pytest.mark.parametrize("kind", LOOPS)


def chunks_of(sizes: list[int]) -> list[bytes]:
    """Chunks that tell their places."""
    return [bytes([number % 251]) * size for number, size in enumerate(sizes)]


def limit(window: int, chunks: list[bytes]) -> int:
    """The most that may be on the way: a window, or the one chunk that does not fit into any."""
    return max([window, *map(len, chunks)])


# ToLoop: the thread makes, the loop takes.

TAKER_STEPS = st.lists(st.sampled_from(["take", "take", "cancel", "credit", "turn", "news"]), max_size=40)
ENDINGS = st.sampled_from(["last", "end", "fail", "nothing"])


class Taker:
    """The loop's side: follows its steps, then takes the rest; credits before it waits, or it might wait for ever."""

    def __init__(self, flow: ToLoop, most: int) -> None:
        self.flow, self.most = flow, most
        self.got: list[bytes] = []
        self.more = True

    async def follow(self, steps: list[str]) -> None:
        for step in steps:
            if self.more:
                await getattr(self, step)()
        while self.more:
            await self.take()

    def keep(self, taken: tuple[bytes, bool]) -> None:
        self.got.append(taken[0])
        self.more = taken[1]

    async def take(self) -> None:
        await self.credit()
        self.keep(await soon(self.flow.take()))

    async def cancel(self) -> None:
        taking = asyncio.ensure_future(self.flow.take())
        await asyncio.sleep(0)
        if taking.cancel():
            with pytest.raises(asyncio.CancelledError):
                await soon(taking)
        else:
            self.keep(taking.result())

    async def credit(self) -> None:
        assert self.flow._made - self.flow._taken <= self.most
        self.flow.credit()

    async def turn(self) -> None:
        await asyncio.sleep(0)

    async def news(self) -> None:
        await self.credit()
        await soon(self.flow.news())


def make(flow: ToLoop, chunks: list[bytes], ending: str, most: int) -> None:
    """The thread's side."""
    for number, chunk in enumerate(chunks):
        flow.put(chunk, last=ending == "last" and number == len(chunks) - 1)
        assert flow._made - flow._taken <= most
    if ending in ("end", "last"):
        flow.end()
    flow.finish(Boom() if ending == "fail" else None)


@LOOP
@settings(max_examples=60)
@given(SIZES, WINDOWS, TAKER_STEPS, ENDINGS)
def test_from_a_thread_every_byte_arrives(
    kind: str, sizes: list[int], window: int, steps: list[str], ending: str
) -> None:
    chunks = chunks_of(sizes)
    most = limit(window, chunks)

    async def work() -> list[bytes]:
        flow = ToLoop(AsyncioPort(asyncio.get_running_loop()), window)
        making, taker = on_thread(make, flow, chunks, ending, most), Taker(flow, most)
        if ending in ("end", "last"):
            await taker.follow(steps)
            await soon(flow.finished())
        else:
            with pytest.raises(Boom if ending == "fail" else RuntimeError):
                await taker.follow(steps)
        await result(making)
        return taker.got

    assert b"".join(run(kind, work)) == b"".join(chunks)


@LOOP
@settings(max_examples=40)
@given(SIZES, WINDOWS, st.integers(0, 10))
def test_a_taker_that_leaves_at_any_time_sets_the_thread_free(
    kind: str, sizes: list[int], window: int, pieces: int
) -> None:
    chunks = chunks_of(sizes)

    async def work() -> bytes:
        flow = ToLoop(AsyncioPort(asyncio.get_running_loop()), window)
        making, got, more = on_thread(make, flow, chunks, "end", limit(window, chunks)), b"", True
        for _ in range(pieces):
            if more:
                flow.credit()
                piece, more = await soon(flow.take())
                got += piece
        flow.break_(Gone)
        for waiting in (flow.take(), flow.gone()):
            try:
                await soon(waiting)
            except Gone:
                pass
        try:
            await result(making)
        except Gone:
            assert more
        return got

    got = run(kind, work)
    assert b"".join(chunks).startswith(got)


# ToThread: the loop makes, the thread takes.

MAKER_STEPS = st.lists(st.sampled_from(["feed", "feed", "room", "cancel", "turn", "nudge"]), max_size=40)


class Maker:
    """The loop's side: follows its steps, then feeds the rest."""

    def __init__(self, flow: ToThread, chunks: list[bytes]) -> None:
        self.flow, self.chunks = flow, iter(chunks)

    async def follow(self, steps: list[str]) -> None:
        for step in steps:
            await getattr(self, step)()
        for chunk in self.chunks:
            await self.room()
            self.flow.feed(chunk)

    async def feed(self) -> None:
        chunk = next(self.chunks, None)
        if chunk is not None:
            await self.room()
            self.flow.feed(chunk)

    async def room(self) -> None:
        await soon(self.flow.room())

    async def cancel(self) -> None:
        waiting = asyncio.ensure_future(self.flow.room())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

    async def turn(self) -> None:
        await asyncio.sleep(0)

    async def nudge(self) -> None:
        self.flow.nudge()


def take(flow: ToThread, most: int) -> list[bytes]:
    """The thread's side."""
    got = []
    while not flow.ended:
        assert flow.held <= most
        piece = flow.take()
        if piece:
            got.append(piece)
        elif not flow.ended:
            assert flow.wait(BOUND)
    return got


@LOOP
@settings(max_examples=60)
@given(SIZES, WINDOWS, MAKER_STEPS, st.sampled_from([b"", b"last"]))
def test_to_a_thread_every_byte_arrives(
    kind: str, sizes: list[int], window: int, steps: list[str], last: bytes
) -> None:
    chunks = chunks_of(sizes)
    most = window + max(map(len, chunks), default=0) + len(last)  # neither `feed` nor `end` refuses what is too much

    async def work() -> list[bytes]:
        flow = ToThread(AsyncioPort(asyncio.get_running_loop()), window)
        taking = on_thread(take, flow, most)
        await Maker(flow, chunks).follow(steps)
        flow.end(last)
        return await result(taking)

    assert b"".join(run(kind, work)) == b"".join([*chunks, last])


@LOOP
@settings(max_examples=40)
@given(SIZES, WINDOWS, MAKER_STEPS)
def test_a_loop_that_breaks_off_sets_the_thread_free_and_loses_nothing_it_fed(
    kind: str, sizes: list[int], window: int, steps: list[str]
) -> None:
    chunks = chunks_of(sizes)
    got: list[bytes] = []

    def take_all(flow: ToThread) -> None:
        while not flow.ended:
            piece = flow.take()
            if piece:
                got.append(piece)
            else:
                assert flow.wait(BOUND)

    async def work() -> None:
        flow = ToThread(AsyncioPort(asyncio.get_running_loop()), window)
        taking = on_thread(take_all, flow)
        await Maker(flow, chunks).follow(steps)
        flow.break_(Gone)
        await soon(flow.room())
        with pytest.raises(Gone):
            await result(taking)

    run(kind, work)
    assert b"".join(got) == b"".join(chunks)
