"""The socket pair whose one end skips the system: on every loop, in every way of sending, nothing lost, in order."""

from __future__ import annotations

import select
import socket
import tempfile
import threading
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anysgi._bridge._ports import running_port
from anysgi._bridge._socket_pair import _MOST, _SMALL, PairSocket, PairStream, socket_pair
from tests.conftest import BOUND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Talk = Callable[[PairStream, PairSocket], Awaitable[None]]

LOOPS = {"asyncio": ("asyncio", {}), "uvloop": ("asyncio", {"use_uvloop": True}), "trio": ("trio", {})}
WAYS: dict[str, Callable[[socket.socket, bytes], object]] = {
    "send": lambda sock, data: sock.send(data),
    "sendall": lambda sock, data: sock.sendall(data),
    "sendall of a bytearray": lambda sock, data: sock.sendall(bytearray(data)),
    "a bytearray": lambda sock, data: sock.send(bytearray(data)),
    "flags": lambda sock, data: sock.send(data, socket.MSG_NOSIGNAL),
    "makefile": lambda sock, data: sock.makefile("wb", buffering=0).write(data),
    "two threads": lambda sock, data: on_a_thread(partial(sock.send, data)),
}


def on_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(BOUND)


def run(loop: str, talk: Talk) -> None:
    """Run `talk` on a loop with both ends."""

    async def main() -> None:
        stream, sock = socket_pair(running_port())
        try:
            with anyio.fail_after(BOUND):
                await talk(stream, sock)
        finally:
            stream.close()
            sock.close()

    backend, options = LOOPS[loop]
    anyio.run(main, backend=backend, backend_options=options)


async def read_to_the_end(stream: PairStream) -> bytes:
    data = b""
    while piece := await stream.read():
        data += piece
    return data


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(WAYS)), st.sampled_from([0, 1, 9, _SMALL, _SMALL + 1, 70_000]), st.booleans()),
        max_size=40,
    )
)
@pytest.mark.parametrize("loop", LOOPS)
def test_what_is_sent_arrives_in_order(loop: str, sends: list[tuple[str, int, bool]]) -> None:
    sent = bytearray()
    caught_up = threading.Semaphore(0)

    def speak(sock: PairSocket) -> None:
        for number, (way, size, pause) in enumerate(sends):
            data = bytes([number]) * size
            while data:
                count = int(WAYS[way](sock, data) or len(data))
                sent.extend(data[:count])
                data = data[count:]
            if pause:
                caught_up.acquire(timeout=0.001)
        sock.shutdown(socket.SHUT_WR)

    async def talk(stream: PairStream, sock: PairSocket) -> None:
        received = b""
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, speak, sock)
            while piece := await stream.read():
                received += piece
                caught_up.release()
        assert received == sent

    run(loop, talk)


def test_a_small_piece_does_not_pass_through_the_system(loop: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        assert sock.send(b"small") == 5
        assert not select.select([stream._sock], [], [], 0)[0]
        assert await stream.read() == b"small"

    run(loop, talk)


def test_a_piece_ends_a_wait_that_has_begun(loop: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, echo, sock, 100)
            for number in range(100):
                await stream.write(b"%03d" % number)
                assert await stream.read() == b"%03d" % number

    def echo(sock: PairSocket, times: int) -> None:
        for _ in range(times):
            sock.send(sock.recv(3))

    run(loop, talk)


def test_the_short_way_is_taken_again_once_the_system_has_been_read(loop: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        for _ in range(2):
            sock.send(bytes(_SMALL + 1))
            sock.send(b"behind it")
            assert len(await stream.read()) == _SMALL + 10
            assert not stream._pieces
            sock.send(b"short")
            assert stream._pieces
            assert await stream.read() == b"short"

    run(loop, talk)


def fill(sock: PairSocket) -> int:
    """Send until it would block; return how much that was."""
    sent = 0
    try:
        while True:
            sent += sock.send(b"1234567")
    except BlockingIOError:
        return sent


def test_a_loop_that_does_not_read_is_felt(loop: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        sock.setblocking(False)
        sent = fill(sock)
        assert len(stream._pieces) == _MOST
        assert not select.select([], [sock], [], 0)[1]
        sock.shutdown(socket.SHUT_WR)
        assert len(await read_to_the_end(stream)) == sent

    run(loop, talk)


def test_a_socket_that_was_shut_down_or_closed_says_so(loop: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        sock.send(b"last words")
        sock.shutdown(socket.SHUT_WR)
        with pytest.raises(BrokenPipeError):
            sock.send(b"more")
        assert await read_to_the_end(stream) == b"last words"
        sock.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            sock.send(b"more")

    run(loop, talk)


def test_a_closed_socket_leaves_what_it_had_to_say(loop: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        sock.send(b"last words")
        sock.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            sock.send(b"more")
        assert await read_to_the_end(stream) == b"last words"

    run(loop, talk)


def test_a_duplicate_passes_through_the_system(loop: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        with sock.dup() as twin:
            twin.send(b"twin")
            assert not stream._pieces
            assert await stream.read() == b"twin"
            sock.send(b"itself")  # too late for the short way: there are bytes it knows nothing of
            assert not stream._pieces
            assert await stream.read() == b"itself"

    run(loop, talk)


def send_a_file(sock: PairSocket) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"first")
        file.seek(0)
        sock.sendfile(file)


def by_a_duplicate(sock: PairSocket) -> None:
    with sock.dup() as twin:
        twin.sendall(b"first")


OTHER_WAYS: dict[str, Callable[[PairSocket], object]] = {
    "sendall": lambda sock: sock.sendall(b"first"),
    "sendmsg": lambda sock: sock.sendmsg([b"fir", b"st"]),
    "sendfile": send_a_file,
    "a duplicate": by_a_duplicate,
}


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_nothing_overtakes_what_was_sent_in_another_way(loop: str, way: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        sock.send(b"zeroth, ")
        OTHER_WAYS[way](sock)
        sock.send(b", second")
        sock.shutdown(socket.SHUT_WR)
        assert await read_to_the_end(stream) == b"zeroth, first, second"

    run(loop, talk)


def test_a_wait_for_room_survives_news(loop: str) -> None:
    async def talk(stream: PairStream, sock: PairSocket) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(stream.write, bytes(1_000_000))
            await anyio.wait_all_tasks_blocked()
            group.start_soon(anyio.to_thread.run_sync, take, sock, 1_000_000)
            assert await stream.read() == b"news"

    def take(sock: PairSocket, size: int) -> None:
        sock.send(b"news")
        while size:
            size -= len(sock.recv(65_536))

    run(loop, talk)
