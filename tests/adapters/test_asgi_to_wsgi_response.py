"""AsgiToWsgi, the response: when the iterable ends, what `send` refuses, and how far the app may run ahead."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import pytest

from anysgi import AsgiToWsgi
from anysgi.exceptions import AppProtocolError
from tests.conftest import BOUND, eventually

from ._calling import WsgiPeer, asgi_app, body, fetch, head


def wrap(app: Any, **options: Any) -> AsgiToWsgi:
    return AsgiToWsgi(app, **{"lifespan": "off", **options})


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_reply_in_one_piece_is_one_chunk_and_no_extra_one(loop: Any) -> None:
    peer = WsgiPeer(wrap(asgi_app(head(201, (b"x-a", b"1")), body(b"whole")), loop=loop))
    assert list(peer.iterable) == [b"whole"]
    assert peer.heads == [("201 Created", [("x-a", "1")], None)]


@pytest.mark.parametrize("status", [200, 204, 304])
def test_a_reply_without_a_byte_is_no_chunk_where_none_may_be(status: int) -> None:
    peer = fetch(wrap(asgi_app(head(status), body())))
    assert (peer.status[:3], peer.body) == (str(status), b"")


def test_reading_past_the_end_and_closing_twice_change_nothing() -> None:
    peer = WsgiPeer(wrap(asgi_app(head(), body(b"a", more=True), body(b"b"))))
    peer.finish()
    assert peer.body == b"ab"
    assert peer.read() == b""
    peer.close()


def test_the_app_is_never_more_than_the_window_ahead_of_the_server() -> None:
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send(head())
        for _ in range(200):
            await send(body(bytes(1000), more=True))
            sent += 1
        await send(body())

    peer = WsgiPeer(wrap(app, window=10_000))
    assert eventually(lambda: sent >= 9)
    ahead, taken = [], 0
    while chunk := peer.read():
        ahead.append(sent * 1000 - taken)
        taken += len(chunk)
    peer.close()
    assert taken == 200_000
    assert max(ahead) <= 20_000  # the window, and what is on its way out of it


def test_a_status_nobody_named_has_a_reason_as_wsgi_wants_one() -> None:
    assert fetch(wrap(asgi_app(head(299), body()))).status == "299 Unknown"


MISTAKES = {
    "body before start": [body(b"x")],
    "start twice": [head(), head()],
    "no type": [{"status": 200, "headers": []}],
    "unknown type": [{"type": "http.response.pathsend", "path": "/etc/hostname"}],
    "unknown type after the start": [head(), {"type": "http.response.zerocopysend", "file": 3}],
    "str body": [head(), {"type": "http.response.body", "body": "text"}],
    "str status": [{"type": "http.response.start", "status": "200"}],
    "interim status": [head(101)],
    "str header": [{"type": "http.response.start", "status": 200, "headers": [("a", "b")]}],
    "no pair": [{"type": "http.response.start", "status": 200, "headers": [b"a"]}],
    "CR LF in a header": [head(200, (b"a", b"b\r\nSet-Cookie: x"))],
    "a name that is none": [head(200, (b"a b", b"c"))],
    "longer than its length": [head(200, (b"content-length", b"3")), body(b"hello")],
    "shorter than its length": [head(200, (b"content-length", b"50")), body(b"hello")],
    "trailers in place of a body": [head(), {"type": "http.response.trailers"}],
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_raises_in_the_apps_send_and_is_answered_500(case: str) -> None:
    raised: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        *before, mistake = MISTAKES[case]
        for message in before:
            await send(message)
        try:
            await send(mistake)
        except AppProtocolError as error:
            raised.append(error)
            raise

    peer = fetch(wrap(app))
    assert peer.status == "500 Internal Server Error"
    assert len(raised) == 1
    assert str(raised[0]) in peer.errors
    assert peer.heads[0][2][1] is raised[0]  # exc_info, for middleware that looks at it


@pytest.mark.parametrize(
    ("pieces", "refused"),
    [
        ([b"abcdef"], None),
        ([b"ab", b"cd", b"ef"], None),
        ([b"ab", b"", b"cde", b"", b"f", b""], None),
        ([b"ab", b"cd", b"efg"], 2),
        ([b"ab", b"cdefg", b"h"], 1),
        ([b"abcdefg"], 0),
        ([b"a", b"bcde"], 2),  # the end comes too early
    ],
)
def test_the_pieces_of_a_body_are_held_to_its_length(pieces: list[bytes], refused: int | None) -> None:
    sent: list[bytes] = []
    mistakes: list[AppProtocolError] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(head(200, (b"content-length", b"6")))
            for piece in pieces:
                await send(body(piece, more=True))
                sent.append(piece)
            await send(body())
        except AppProtocolError as error:
            mistakes.append(error)
            raise

    peer = WsgiPeer(wrap(app))
    with contextlib.suppress(AppProtocolError):
        peer.finish()
    assert sent == pieces[:refused]
    assert [str(error).count("Content-Length: 6") for error in mistakes] == ([] if refused is None else [1])
    assert peer.body == b"abcdef" or mistakes


def test_a_mistake_after_the_response_was_complete_raises_in_send_and_is_reported() -> None:
    peer = fetch(wrap(asgi_app(head(), body(b"fine"), head())))
    assert (peer.status, peer.body) == ("200 OK", b"fine")


def test_sending_more_body_after_the_end_is_ignored() -> None:
    assert fetch(wrap(asgi_app(head(), body(b"x"), body(b"late"), body(b"later", more=True)))).body == b"x"


def test_trailers_are_taken_and_dropped() -> None:
    trailers = {"type": "http.response.trailers", "headers": [(b"a", b"b")], "more_trailers": False}
    start = {**head(200, (b"trailer", b"a")), "trailers": True}
    app = asgi_app(start, body(b"x"), {**trailers, "more_trailers": True}, trailers)
    peer = fetch(wrap(app))
    assert (peer.headers, peer.body, peer.errors) == ([], b"x", "")
    assert "http.response.trailers" not in app.scope["extensions"]  # type: ignore[attr-defined]


def test_receive_after_the_end_is_a_disconnect_and_does_not_wait() -> None:
    told, over = [], threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(head())
        await send(body(b"x"))
        told.extend([await receive(), await receive()])
        over.set()

    assert fetch(wrap(app)).body == b"x"
    assert over.wait(BOUND)
    assert told == [{"type": "http.disconnect"}] * 2


@pytest.mark.parametrize("pieces", [[b"whole"], [b"a", b"b", b""]], ids=repr)
def test_a_head_request_is_answered_without_a_body(pieces: list[bytes]) -> None:
    length = b"%d" % sum(map(len, pieces))
    messages = [body(piece, more=at < len(pieces) - 1) for at, piece in enumerate(pieces)]
    peer = fetch(wrap(asgi_app(head(200, (b"content-length", length)), *messages)), "HEAD")
    assert (peer.headers, peer.body) == ([("content-length", str(int(length)))], b"")
    assert peer.errors == ""


def test_a_head_request_for_an_endless_stream_ends_and_so_does_the_stream() -> None:
    stopped = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        try:
            while True:
                await send(body(bytes(1000), more=True))
                await asyncio.sleep(0)
        finally:
            stopped.set()

    peer = fetch(wrap(app), "HEAD")
    assert (peer.status, peer.body) == ("200 OK", b"")
    assert stopped.wait(BOUND)


def test_a_204_loses_the_body_and_its_length() -> None:
    peer = fetch(wrap(asgi_app(head(204, (b"content-length", b"4")), body(b"body"))))
    assert (peer.headers, peer.body) == ([], b"")


def test_an_app_may_send_from_several_coroutines() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await asyncio.gather(*[send(body(bytes(5_000), more=True)) for _ in range(20)])
        await send(body(b"end"))

    assert fetch(wrap(app, window=4_000)).body == bytes(100_000) + b"end"
