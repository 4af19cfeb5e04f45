"""WsgiToAsgi, when the exchange ends before its time: the client leaves, `send` fails, the server cancels."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from anysgi import WsgiToAsgi
from anysgi.testing import Disconnect, Scenario, SendBlocks, SendFails
from tests.conftest import BOUND, eventually

from ._driving import AsgiPeer, comes_true, happens, part, serve, serving, upload, wsgi_app


class Stream:
    """A WSGI app that streams for ever; says how far it came and when it was closed."""

    def __init__(self, chunk: bytes = b"tick\n") -> None:
        self.chunk = chunk
        self.produced = 0
        self.closed = threading.Event()
        self.threads: list[int] = []

    def __call__(self, environ: Any, start_response: Any) -> Stream:
        self.environ = environ
        self.threads.append(threading.get_ident())
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Any:
        while True:
            self.produced += 1
            yield self.chunk

    def close(self) -> None:
        self.threads.append(threading.get_ident())
        self.closed.set()


@pytest.mark.anyio
async def test_a_stream_stops_within_a_chunk_of_its_client_leaving_although_send_says_nothing() -> None:
    produced: list[int] = []
    stopped = threading.Event()
    peer = AsgiPeer(on_send=lambda _: peer.leave() if len(produced) == 3 else None)

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            for number in range(1, 100):
                if number > 3:
                    assert peer.told.wait(BOUND)
                produced.append(number)
                yield b"%d" % number
        finally:
            stopped.set()

    await serve(WsgiToAsgi(app), peer)
    await happens(stopped)
    assert produced == [1, 2, 3, 4]
    assert not peer.complete


@pytest.mark.anyio
async def test_an_app_that_yields_only_empty_chunks_is_stopped_as_well() -> None:
    stream = Stream(b"")

    def app(environ: Any, start_response: Any) -> Any:
        environ["anysgi.client_disconnected"]()
        return stream(environ, start_response)

    peer = await serve(WsgiToAsgi(app), Scenario("POST", body=b"x", peer=[Disconnect(after_chunks=0)]))
    assert stream.closed.is_set()
    assert peer.sent == []


@pytest.mark.anyio
async def test_a_stream_that_falls_silent_after_a_byte_is_stopped_as_well() -> None:
    stopped, peer = threading.Event(), AsgiPeer()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            yield b"a"
            assert peer.told.wait(BOUND)
            while True:
                yield b""
        finally:
            stopped.set()

    async with serving(WsgiToAsgi(app), peer):
        await happens(peer.started)
        peer.leave()
    await happens(stopped)


@pytest.mark.anyio
async def test_clients_that_leave_endless_streams_give_their_threads_back() -> None:
    adapter = WsgiToAsgi(lambda environ, start: Stream()(environ, start), threads=2)
    for _ in range(3):
        first, second = AsgiPeer(), AsgiPeer()
        async with serving(adapter, first), serving(adapter, second):
            await happens(first.started)
            await happens(second.started)
            assert adapter.pool.stats().busy == 2
            first.leave()
            second.leave()
    await comes_true(lambda: adapter.pool.stats().busy == 0)
    assert adapter.pool.stats().threads <= 2


@pytest.mark.anyio
async def test_send_that_fails_stops_the_app_and_its_own_exception_reaches_the_server() -> None:
    stream = Stream(bytes(1000))
    with pytest.raises(BrokenPipeError) as caught:
        await serve(WsgiToAsgi(stream, window=1_100), Scenario(peer=[SendFails(at=4, error=BrokenPipeError)]))
    assert type(caught.value) is BrokenPipeError  # no group, no wrapper
    assert stream.closed.is_set()
    assert stream.produced <= 5


@pytest.mark.anyio
async def test_send_that_fails_at_once_is_told_apart_from_a_failing_app() -> None:
    with pytest.raises(ConnectionResetError):
        await serve(WsgiToAsgi(wsgi_app(b"x")), Scenario(peer=[SendFails(at=1)]))


@pytest.mark.anyio
async def test_cancelling_frees_the_thread_within_a_chunk() -> None:
    stream = Stream(bytes(1000))
    adapter = WsgiToAsgi(stream, window=3_000)
    task = asyncio.create_task(serve(adapter, Scenario(peer=[SendBlocks(at=2)])))
    await comes_true(lambda: stream.produced == 4)  # three fit into the window, the next one waits
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await happens(stream.closed)
    assert stream.produced == 4
    assert len(set(stream.threads)) == 1


@pytest.mark.anyio
async def test_cancelling_while_the_app_reads_breaks_its_read() -> None:
    seen: list[BaseException] = []
    over = threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            seen.append(error)
        over.set()
        return []

    peer = AsgiPeer(part(b"some"))
    task = asyncio.create_task(serve(WsgiToAsgi(app), peer, "POST"))
    await asyncio.sleep(0)
    await happens(peer.idle)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await happens(over)
    assert len(seen) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("error", [ConnectionResetError("the server broke"), RuntimeError("too large")], ids=repr)
async def test_a_receive_that_fails_ends_the_exchange_and_only_a_broken_connection_is_swallowed(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Middleware around us may raise out of `receive` what it means to catch itself."""
    stream = Stream()
    peer = AsgiPeer()

    async def receive() -> Any:
        raise error

    peer.receive = receive  # type: ignore[method-assign]
    if isinstance(error, OSError):
        await serve(WsgiToAsgi(stream), peer)
        assert "the server broke" in caplog.text
    else:
        with pytest.raises(RuntimeError, match="too large"):
            await serve(WsgiToAsgi(stream), peer)
    assert stream.closed.is_set()


@pytest.mark.anyio
async def test_an_unknown_message_after_the_body_is_no_disconnect() -> None:
    peer = AsgiPeer(*upload(b""), {"type": "http.something"})

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"a"
        assert eventually(lambda: peer.received == 2)
        yield b"b"

    assert (await serve(WsgiToAsgi(app), peer)).body == b"ab"
    assert peer.complete
