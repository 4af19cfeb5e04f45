"""`wsgi.input` is the file that its bytes would make: the same results as `io.BytesIO`, however the body arrives.

And unlike a file it can break off: then it raises an `OSError`, and never looks as if it had ended.
"""

from __future__ import annotations

import asyncio
import io
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anysgi._bridge._loop_thread import LoopThread
from anysgi._bridge._to_thread import ToThread
from anysgi.adapters._request_input import WsgiInput
from anysgi.exceptions import ClientDisconnected
from tests.conftest import BOUND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    loop = LoopThread("asyncio")
    yield loop
    loop.stop()


class Body:
    """A request body on its way, once it is asked for.

    Args:
        loop: where it arrives.
        chunks: what arrives.
        complete: whether the end arrives as well; else the client leaves.
        ahead: all of it is there before the first byte is read.
    """

    def __init__(
        self,
        loop: LoopThread,
        chunks: list[bytes],
        *,
        complete: bool = True,
        ahead: bool = False,
        window: int = 100_000,
    ) -> None:
        self.loop, self.chunks, self.complete = loop, chunks, complete
        self.flow = ToThread(loop.port, window)
        self.asked = 0
        self.arriving: Future[None] | None = None
        self.input: Any = WsgiInput(self.ask)
        if ahead:
            self.loop.port.run(self.arrive(wait=False), BOUND)

    def ask(self) -> ToThread:
        self.asked += 1
        if not self.flow.held and not self.flow.ended and not self.flow.broken:
            self.arriving = asyncio.run_coroutine_threadsafe(self.arrive(), self.loop.port.loop)
        return self.flow

    async def arrive(self, *, wait: bool = True) -> None:
        for chunk in self.chunks:
            if wait:
                await self.flow.room()
                await asyncio.sleep(0)
            self.flow.feed(chunk)
        if self.complete:
            self.flow.end()
        else:
            self.flow.break_(partial(ClientDisconnected, "the client disconnected"))

    def over(self) -> None:
        """Wait until all of it has arrived; the reader may have left."""
        self.loop.port.post(partial(self.flow.break_, ClientDisconnected))
        if self.arriving is not None:
            self.arriving.result(BOUND)


def call(name: str, *args: Any) -> Callable[[Any], Any]:
    return lambda file: getattr(file, name)(*args)


def hinted(hint: int | None) -> Callable[[Any], list[bytes]]:
    """`readlines(hint)`; where a line ends at the hint exactly, `BytesIO` stops and every other file reads one more."""
    return lambda file: io.IOBase.readlines(file, hint) if isinstance(file, io.BytesIO) else file.readlines(hint)


def into(size: int) -> Callable[[Any], bytes]:
    def readinto(file: Any) -> bytes:
        buffer = bytearray(size)
        return bytes(buffer[: file.readinto(buffer)])

    return readinto


def lines(count: int) -> Callable[[Any], list[bytes]]:
    return lambda file: [line for line, _ in zip(file, range(count), strict=False)] if count else list(file)


def following(file: Any) -> bytes | None:
    return next(file, None)


sizes = st.sampled_from([0, 1, 2, 3, 7, 100, 8_191, 8_192, 8_193, 70_000, -1, None])
READS = st.one_of(
    st.builds(call, st.sampled_from(["read", "readline", "readlines"])),
    st.builds(call, st.sampled_from(["read", "readline"]), sizes),
    st.builds(hinted, sizes),
    st.builds(into, st.sampled_from([0, 1, 5, 100, 10_000, 100_000])),
    st.builds(lines, st.integers(0, 3)),
    st.just(following),
)
PIECES = st.lists(
    st.sampled_from([b"a", b"\n", b"abc\n", b"\r\n", b"\x00\xff", b"x" * 5_000, b"y" * 9_000 + b"\n"]), max_size=25
)


@st.composite
def bodies(draw: st.DrawFn) -> list[bytes]:
    """Any data in any chunking: empty chunks, one byte at a time, a large chunk of many lines."""
    data, chunks = b"".join(draw(PIECES)), []
    while data:
        size = draw(st.sampled_from([0, 1, 2, 3, 10, 1_000, 8_192, 70_000]))
        chunks.append(data[:size])
        data = data[size:]
        if len(chunks) > 30:
            chunks.append(data)
            break
    return chunks


@given(bodies(), st.lists(READS, max_size=10), st.booleans(), st.sampled_from([1, 500, 100_000]))
@example([b"ab", b"cdef\n"], [call("readline", 3), call("readline", 65_536)], False, 1)
@example([b"a\nb"], [call("readline", 65_536)], False, 1)
@example([], [call("readlines"), call("read", None)], False, 1)
def test_whatever_is_read_and_however_it_arrives(
    loop: LoopThread, chunks: list[bytes], reads: list[Callable[[Any], Any]], ahead: bool, window: int
) -> None:
    body, file = Body(loop, chunks, ahead=ahead, window=window), io.BytesIO(b"".join(chunks))
    for read in reads:
        assert read(body.input) == read(file)
    assert body.input.read() == file.read()
    for end in (body.input.read, body.input.readline, partial(body.input.read, 5), body.input.read1):
        assert end() == b""
    assert body.input.readlines() == []
    assert list(body.input) == []
    assert body.asked == 1
    body.over()


@given(bodies(), st.lists(st.sampled_from([0, 1, 10, 10_000, -1]), max_size=20))
def test_read1_gives_what_is_there_and_nothing_only_at_the_end(
    loop: LoopThread, chunks: list[bytes], sizes: list[int]
) -> None:
    body, file = Body(loop, chunks), io.BytesIO(b"".join(chunks))
    for size in sizes:
        piece = body.input.read1(size)
        assert piece == file.read(len(piece))
        assert piece or size == 0 or file.read(1) == b""
    assert body.input.read() == file.read()
    body.over()


READERS: dict[str, Callable[[Any], bytes]] = {
    "read": lambda file: file.read(),
    "read(None)": lambda file: file.read(None),
    "read(size)": lambda file: file.read(3),
    "read1": lambda file: file.read1(3),
    "readinto": into(3),
    "readline": lambda file: file.readline(),
    "readline(size)": lambda file: file.readline(3),
    "readlines": lambda file: b"".join(file.readlines()),
    "readlines(hint)": lambda file: b"".join(file.readlines(3)),
    "for": lambda file: b"".join(file),
    "next": next,
}


def read_on(read: Callable[[Any], bytes], file: Any, into: io.BytesIO) -> None:
    while True:
        piece = read(file)
        assert piece, "it looks as if the body had ended"
        into.write(piece)


@pytest.mark.parametrize("ahead", [True, False], ids=["already gone", "leaves meanwhile"])
@pytest.mark.parametrize("chunks", [[], [b"half"], [b"a\n", b"b\nhalf a line"]], ids=["nothing", "half", "lines"])
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_body_that_breaks_off_raises_and_never_ends(
    loop: LoopThread, read: Callable[[Any], bytes], chunks: list[bytes], ahead: bool
) -> None:
    body, got = Body(loop, chunks, complete=False, ahead=ahead), io.BytesIO()
    with pytest.raises(OSError, match="the client disconnected"):
        read_on(read, body.input, got)
    assert b"".join(chunks).startswith(got.getvalue())
    for again in READERS.values():
        with pytest.raises(ClientDisconnected):
            again(body.input)
    body.over()


def test_what_arrived_before_the_break_can_be_read(loop: LoopThread) -> None:
    body = Body(loop, [b"line\n", b"rest"], complete=False)
    assert body.input.readline() == b"line\n"
    assert body.input.read(4) == b"rest"
    with pytest.raises(ClientDisconnected):
        body.input.read(1)
    body.over()


def test_nothing_is_asked_for_before_the_first_read(loop: LoopThread) -> None:
    """A client that said `Expect: 100-continue` still waits for the app to want its body."""
    body = Body(loop, [b"body"])
    assert body.input.readable()
    assert not body.input.closed
    iter(body.input)
    assert body.input.read(0) == b""
    assert body.asked == 0
    assert body.input.read() == b"body"
    assert body.asked == 1
    body.over()


def test_an_empty_body_is_asked_for_once(loop: LoopThread) -> None:
    body = Body(loop, [])
    assert [body.input.read() for _ in range(3)] == [b"", b"", b""]
    assert body.asked == 1
    body.over()


def test_a_break_right_after_a_look_is_no_end(loop: LoopThread) -> None:
    class Flow(ToThread):
        def take(self) -> bytes:
            piece = super().take()
            self.break_(partial(ClientDisconnected, "gone"))
            return piece

    with pytest.raises(ClientDisconnected):
        WsgiInput(lambda: Flow(loop.port, 1)).read(1)


def test_it_is_a_file_for_those_who_wrap_it(loop: LoopThread) -> None:
    body = Body(loop, ["caf\xe9\n".encode(), b"x"])
    assert io.TextIOWrapper(body.input, encoding="utf-8").read() == "caf\xe9\nx"
    body.over()


def test_a_closed_input_is_closed(loop: LoopThread) -> None:
    body = Body(loop, [b"body"])
    body.input.close()
    with pytest.raises(ValueError, match="closed"):
        body.input.read()
