"""WsgiToAsgi, the request body: it streams inside a window, a body cut short is an error, nothing is read unasked."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anysgi import WsgiToAsgi
from anysgi.exceptions import ClientDisconnected
from anysgi.testing import Disconnect, Scenario, arun
from tests.conftest import eventually

from ._driving import AsgiPeer, happens, part, serve, serving, upload, wsgi_app

MIB = 1024 * 1024


def echo(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


class Flood(AsgiPeer):
    """Uploads `count` fresh messages as fast as they are taken, and notes how far ahead of the app it ever was."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__()
        self.left, self.size = count, size
        self.taken = self.ahead = self.given = 0

    async def receive(self) -> Any:
        if self.left == 0:
            return await super().receive()
        self.left -= 1
        self.given += self.size
        self.ahead = max(self.ahead, self.given - self.taken)
        return {"type": "http.request", "body": bytes(self.size), "more_body": self.left > 0}


def drain(peer: Flood, size: int = 65_536) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        while data := environ["wsgi.input"].read(size):
            peer.taken += len(data)
        start_response("200 OK", [])
        return [b"%d" % peer.taken]

    return app


@pytest.mark.anyio
async def test_a_large_upload_takes_no_memory_and_stays_inside_the_window() -> None:
    await serve(WsgiToAsgi(echo), Scenario("POST", body=bytes(MIB)))  # what is allocated once
    peer = Flood(4_096, 65_536)
    before = psutil.Process().memory_info().rss
    await serve(WsgiToAsgi(drain(peer)), peer, "POST")
    grown = psutil.Process().memory_info().rss - before
    assert peer.body == b"%d" % (256 * MIB)
    assert peer.ahead <= 262_144 + 3 * 65_536  # the window, the message that fills it, a piece in hand, one read
    assert grown < 8 * MIB


@pytest.mark.anyio
async def test_an_upload_is_held_up_once_the_window_is_full() -> None:
    peer = Flood(1_000, 1_000)
    drained = drain(peer, 500)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        peer.taken = len(environ["wsgi.input"].read(1))
        assert eventually(lambda: peer.given >= 10_000)
        return drained(environ, start_response)

    await serve(WsgiToAsgi(app, window=10_000), peer, "POST")
    assert peer.taken == 1_000_000
    assert peer.ahead <= 3 * 10_000  # a full window, as much again in the hands of the reader, and its buffer


@pytest.mark.anyio
@pytest.mark.parametrize(
    "scenario",
    [Scenario("POST", body=[b"half", b"rest"], peer=[Disconnect(after_chunks=1)]), Scenario("POST", body=b"half")],
    ids=["disconnect", "early end"],
)
async def test_a_body_cut_short_raises_an_oserror_and_never_looks_like_its_end(scenario: Scenario) -> None:
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        try:
            seen.append(environ["wsgi.input"].read())
        except OSError as error:
            seen.append(type(error))
            raise
        seen.append("went on")
        start_response("200 OK", [])
        return [b"stored"]

    async def announces_more(scope: Any, receive: Any, send: Any) -> None:
        await WsgiToAsgi(app)({**scope, "headers": [(b"content-length", b"100")]}, receive, send)

    found = await arun(announces_more, scenario)
    assert seen == [ClientDisconnected]
    assert [event.message for event in found.messages if event.by == "app"] == []
    known = bool(scenario.peer)  # a server that does not know yet that the client left is told
    assert isinstance(found.exception, type(None) if known else ClientDisconnected)


@pytest.mark.anyio
async def test_what_came_before_the_disconnect_can_still_be_read() -> None:
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        source = environ["wsgi.input"]
        seen.append(source.readline())
        for _ in range(2):  # asking again does not turn the error into an end
            with pytest.raises(OSError, match="disconnected"):
                source.read()
        return []

    left = Scenario("POST", body=[b"first\nsec", b"ond"], peer=[Disconnect(after_chunks=1)])
    await serve(WsgiToAsgi(app), left)
    assert seen == [b"first\n"]


@pytest.mark.anyio
@pytest.mark.parametrize("header", [(b"transfer-encoding", b"chunked"), (b"x-none", b"")], ids=["chunked", "HTTP/2"])
async def test_a_body_of_unknown_length_is_terminated_by_the_adapter(header: tuple[bytes, bytes]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        assert environ["wsgi.input_terminated"] is True
        assert "CONTENT_LENGTH" not in environ
        assert "HTTP_TRANSFER_ENCODING" not in environ
        return echo(environ, start_response)

    pieces = Scenario("POST", body=[b"12345", b"", b"67890"])
    assert (await serve(WsgiToAsgi(app), pieces, headers=[header])).body == b"1234567890"


@pytest.mark.anyio
async def test_receive_and_send_may_return_awaitables_that_are_no_coroutines() -> None:
    class Awaitable:
        def __init__(self, work: Any) -> None:
            self.work = work

        def __await__(self) -> Any:
            return self.work.__await__()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await WsgiToAsgi(echo)(scope, lambda: Awaitable(receive()), lambda message: Awaitable(send(message)))

    assert (await serve(app, Scenario("POST", body=[b"abc", b"def"]))).body == b"abcdef"


@pytest.mark.anyio
async def test_expect_100_continue_is_not_answered_for_an_app_that_refuses_without_reading() -> None:
    expects = Scenario("POST", headers={"expect": "100-continue"}, body=b"x" * 1000)
    found = await arun(WsgiToAsgi(wsgi_app(b"no", b"!", status="401 Unauthorized")), expects)
    assert found.status == 401
    assert found.messages[0].by == "app"  # nothing was received when the head left


@pytest.mark.anyio
async def test_a_body_nobody_reads_does_not_hold_up_the_response() -> None:
    peer = await serve(WsgiToAsgi(wsgi_app(b"no thanks")), Scenario("POST", body=[bytes(65_536)] * 160))
    assert peer.body == b"no thanks"
    assert peer.received == 0


@pytest.mark.anyio
async def test_an_app_may_answer_between_two_reads() -> None:
    peer = AsgiPeer(part(b"ping"))

    def app(environ: Any, start_response: Any) -> Any:
        source = environ["wsgi.input"]
        start_response("200 OK", [])
        yield b"got " + source.read(4)
        yield b", then " + source.read()

    async with serving(WsgiToAsgi(app), peer, "POST"):
        await happens(peer.started)  # only now the client sends the rest
        assert peer.body == b"got ping"
        peer.push(*upload(b"pong"))
    assert peer.body == b"got ping, then pong"


READS = st.one_of(
    st.tuples(st.sampled_from(["read", "readline"]), st.sampled_from([-1, 0, 1, 3, 8, 65_536])),
    st.tuples(st.sampled_from(["readlines", "read", "readline"]), st.sampled_from([None, 5])),
    st.tuples(st.just("readinto"), st.integers(0, 9)),
    st.tuples(st.just("next"), st.none()),
)


def perform(source: Any, name: str, argument: Any) -> Any:
    if name == "next":
        return next(source, b"")
    if name == "readinto":
        target = bytearray(argument)
        return source.readinto(target), bytes(target)
    return getattr(source, name)() if argument is None else getattr(source, name)(argument)


@settings(deadline=None, max_examples=100)
@given(pieces=st.lists(st.text("ab\n", max_size=9).map(str.encode), min_size=1), reads=st.lists(READS, max_size=12))
def test_wsgi_input_is_what_io_has_for_every_chunking_and_mix_of_reads(pieces: list[bytes], reads: Any) -> None:
    whole = io.BufferedReader(io.BytesIO(b"".join(pieces)))  # type: ignore[arg-type]

    def app(environ: Any, start_response: Any) -> list[bytes]:
        for name, argument in [*reads, ("read", -1), ("read", -1)]:
            assert perform(environ["wsgi.input"], name, argument) == perform(whole, name, argument)
        start_response("200 OK", [])
        return [b"same"]

    assert asyncio.run(serve(SHARED.around(app), Scenario("POST", body=pieces))).body == b"same"


class _Shared:
    """One adapter for every example, so that each does not start a thread of its own."""

    def __init__(self) -> None:
        self.adapter = WsgiToAsgi(lambda environ, start_response: self.app(environ, start_response), threads=1)
        self.app: Any = None

    def around(self, app: Any) -> WsgiToAsgi:
        self.app = app
        return self.adapter


SHARED = _Shared()


@pytest.mark.anyio
async def test_readline_with_a_limit_waits_for_the_line_and_read1_for_no_more_than_there_is() -> None:
    seen: list[bytes] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        source = environ["wsgi.input"]
        seen.extend([source.readline(3), source.read1(2), source.readline(65_536), source.readline()])
        return echo(environ, start_response)

    await serve(WsgiToAsgi(app), Scenario("POST", body=[b"ab", b"cdef\n"]))
    assert seen[0] == b"abc"
    assert b"".join(seen) == b"abcdef\n"
