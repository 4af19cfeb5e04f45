"""WsgiToAsgi, the response body: how many messages, how far ahead the app may run, and that nothing yielded is lost."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest

from anysgi import WsgiToAsgi

from ._driving import AsgiPeer, comes_true, serve, serving, wsgi_app

if TYPE_CHECKING:
    from collections.abc import Iterator


def bodies(peer: AsgiPeer) -> list[tuple[bytes, bool]]:
    return [(m["body"], m.get("more_body", False)) for m in peer.sent[1:]]


def yielding(*chunks: bytes) -> Any:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield from chunks

    return app


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [list, tuple])
async def test_a_reply_in_one_piece_is_two_messages_and_never_calls_receive(kind: type) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return kind([b"whole"])

    peer = await serve(WsgiToAsgi(app))
    assert peer.sent == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]},
        {"type": "http.response.body", "body": b"whole", "more_body": False},
    ]
    assert peer.received == 0


@pytest.mark.anyio
async def test_a_content_length_from_the_app_is_not_doubled() -> None:
    peer = await serve(WsgiToAsgi(wsgi_app(b"whole", headers=[("Content-Length", "5")])))
    assert peer.headers == [(b"content-length", b"5")]
    assert bodies(peer) == [(b"whole", False)]


@pytest.mark.anyio
async def test_empty_chunks_are_no_messages() -> None:
    peer = await serve(WsgiToAsgi(yielding(b"", b"", b"z")))
    assert peer.body == b"z"
    assert [m["body"] for m in peer.sent[1:]] in ([b"z"], [b"z", b""])
    assert [m.get("more_body") for m in peer.sent[1:]] in ([False], [True, False])


@pytest.mark.anyio
@pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]], ids=repr)
async def test_a_response_without_a_byte_is_a_head_and_an_end(chunks: list[bytes]) -> None:
    peer = await serve(WsgiToAsgi(yielding(*chunks)))
    assert peer.status == 200
    assert bodies(peer) == [(b"", False)]


@pytest.mark.anyio
async def test_a_chunk_is_sent_at_once_and_not_kept_to_be_joined_with_the_next() -> None:
    peer = AsgiPeer()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        for number in range(5):
            yield b"%d" % number
            assert asyncio.run_coroutine_threadsafe(arrived(number + 1), peer.loop).result(10)

    async def arrived(count: int) -> bool:
        async with asyncio.timeout(10):
            while len(peer.body) < count:
                await asyncio.sleep(0)
        return True

    await serve(WsgiToAsgi(app), peer)
    assert [m["body"] for m in peer.sent[1:]] == [b"0", b"1", b"2", b"3", b"4", b""]


@pytest.mark.anyio
async def test_small_chunks_that_piled_up_behind_a_slow_client_leave_together() -> None:
    produced: list[int] = []
    peer = AsgiPeer(on_send=lambda m: comes_true(lambda: len(produced) == 100) if m.get("body") == b"0" else None)

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        for number in range(100):
            yield b"%d" % number
            produced.append(number)

    await serve(WsgiToAsgi(app), peer)
    assert peer.body == b"".join(b"%d" % n for n in range(100))
    assert len(peer.sent) <= 4


@pytest.mark.anyio
async def test_the_app_is_never_more_than_the_window_ahead_of_the_client() -> None:
    produced, ahead = 0, []

    async def slow(message: Any) -> None:
        if not ahead and message.get("body"):
            await comes_true(lambda: produced == 11)  # ten chunks of 1000 bytes fit into the window, the next one waits
        ahead.append(produced - len(peer.body) // 1000)

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        nonlocal produced
        start_response("200 OK", [])
        for _ in range(500):
            produced += 1
            yield bytes(1000)

    peer = AsgiPeer(on_send=slow)
    await serve(WsgiToAsgi(app, window=10_000), peer)
    assert len(peer.body) == 500_000
    assert max(ahead) == 11


@pytest.mark.anyio
async def test_a_flood_of_tiny_chunks_is_bounded_as_well() -> None:
    produced, ahead = 0, []

    async def slow(message: Any) -> None:
        if not ahead and message.get("body"):
            await comes_true(lambda: produced > 100)
        ahead.append(produced - len(peer.body))

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        nonlocal produced
        start_response("200 OK", [])
        for _ in range(20_000):
            produced += 1
            yield b"x"

    peer = AsgiPeer(on_send=slow)
    await serve(WsgiToAsgi(app, window=10_000), peer)
    assert len(peer.body) == 20_000
    assert max(ahead) <= 2 * (10_000 // 64) + 1  # as many as may wait, as many on their way out, and one in hand


@pytest.mark.anyio
async def test_empty_chunks_in_the_middle_of_a_stream_are_no_messages() -> None:
    peer = await serve(WsgiToAsgi(yielding(b"a", b"", b"", b"b", b"")))
    assert peer.body == b"ab"
    assert all(m["body"] for m in peer.sent[1:-1])


@pytest.mark.anyio
async def test_a_chunk_larger_than_the_window_passes() -> None:
    peer = await serve(WsgiToAsgi(yielding(b"a" * 5000, b"b" * 5000), window=1000))
    assert peer.body == b"a" * 5000 + b"b" * 5000


@pytest.mark.anyio
async def test_what_was_yielded_before_an_error_is_sent_first_and_there_is_no_clean_end() -> None:
    raised = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield from [b"1", b"2", b"3", b"4", b"5"]
        raised.append(True)
        raise LookupError("in the middle")

    async def slow(message: Any) -> None:
        await comes_true(lambda: bool(raised))

    peer = AsgiPeer(on_send=slow)
    with pytest.raises(LookupError, match="in the middle"):
        await serve(WsgiToAsgi(app), peer)
    assert peer.body == b"12345"
    assert all(more for _, more in bodies(peer))


@pytest.mark.anyio
async def test_a_stream_does_not_wait_for_the_request_body() -> None:
    peer = AsgiPeer()
    peer._script.clear()
    async with serving(WsgiToAsgi(yielding(b"a", b"b")), peer, "POST", headers=[(b"content-length", b"9")]):
        pass
    assert peer.body == b"ab"
    assert peer.complete


class File(io.BytesIO):
    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


@pytest.mark.anyio
async def test_a_file_leaves_in_pieces_worth_a_message_and_is_closed() -> None:
    file = File(bytes(1_000_000))

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file, 4096)  # what frameworks ask for

    peer = await serve(WsgiToAsgi(app))
    assert len(peer.body) == 1_000_000
    assert file.reads <= 1_000_000 / 65_536 + 2
    assert len(peer.sent) <= 1_000_000 / 65_536 + 3
    assert file.closed


@pytest.mark.anyio
async def test_a_file_without_close_and_with_large_blocks_is_wrapped_as_well() -> None:
    class Endless:
        left = 3

        def read(self, size: int) -> bytes:
            self.left -= 1
            return b"x" * size if self.left else b""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        wrapped = environ["wsgi.file_wrapper"](Endless(), 100_000)
        assert not hasattr(wrapped, "close")
        return wrapped

    assert len((await serve(WsgiToAsgi(app))).body) == 200_000


@pytest.mark.anyio
async def test_empty_chunks_in_a_list_are_left_out() -> None:
    peer = await serve(WsgiToAsgi(wsgi_app(b"a", b"", b"b")))
    assert peer.body == b"ab"
