"""AsgiToWsgi, the request body: what `receive` gives, when `wsgi.input` is read, and what a body cut short becomes."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
import types
from typing import Any

import pytest

from anysgi import AsgiToWsgi
from anysgi.exceptions import ClientDisconnected
from anysgi.testing import Disconnect, Scenario, run
from tests.conftest import BOUND

from ._calling import Fetched, Input, body, fetch, head, make_environ

# A server that takes the end of a connection for the end of the body.
CUT_SHORT = Scenario("POST", body=b"half of it", peer=[Disconnect(after_bytes=4)], like="gunicorn")


def reading(calls: int = 100) -> Any:
    """An app that receives until the body ends, or `calls` times, and notes what it got."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        app.events = []  # type: ignore[attr-defined]
        for _ in range(calls):
            message = await receive()
            app.events.append(message)  # type: ignore[attr-defined]
            if not message.get("more_body"):
                break
        await send(head())
        await send(body(b"".join(e.get("body", b"") for e in app.events)))  # type: ignore[attr-defined]

    return app


def wrap(app: Any, **options: Any) -> AsgiToWsgi:
    return AsgiToWsgi(app, **{"lifespan": "off", **options})


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_body_arrives_whole_in_pieces(loop: Any) -> None:
    app = reading()
    content = bytes(range(256)) * 4096
    assert fetch(wrap(app, loop=loop), "POST", "/", content).body == content
    assert len(app.events) > 1
    assert all(event["type"] == "http.request" for event in app.events)
    assert [event["more_body"] for event in app.events] == [True] * (len(app.events) - 1) + [False]


def test_a_body_cut_short_is_a_disconnect_and_the_input_is_not_read_again_and_again() -> None:
    events: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(4):
            events.append(await receive())
        await send(head())
        await send(body())

    source = Input(b"half")
    fetch(wrap(app), "POST", "/", source, CONTENT_LENGTH="100")
    assert [event["type"] for event in events] == ["http.request"] + ["http.disconnect"] * 3
    assert source.reads == 2


@pytest.mark.parametrize("began", [False, True], ids=["before the head", "in the body"])
def test_after_a_body_cut_short_send_raises_as_spec_version_2_4_asks(began: bool) -> None:
    raised: list[OSError] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["asgi"]["spec_version"] == "2.4"
        if began:
            await send(head())
            await send(body(b"begun", more=True))
        while (await receive())["type"] != "http.disconnect":
            pass
        for message in [head(500)] * (not began) + [body(b"sorry")]:
            try:
                await send(message)
            except OSError as error:
                raised.append(error)

    found = run(wrap(app), CUT_SHORT)
    if began:
        assert isinstance(found.exception, ClientDisconnected)
    else:
        assert found.status == 400
    assert len(raised) == (1 if began else 2)
    assert b"sorry" not in found.body


@pytest.mark.parametrize("source", [Input(b"payload"), io.BytesIO(b"payload")], ids=["read", "read1"])
def test_a_body_of_unknown_length_is_read_to_its_end_where_there_is_one(source: Any) -> None:
    peer = fetch(wrap(reading()), "POST", wsgi_input=source, wsgi_input_terminated=True)
    assert peer.body == b"payload"


def test_a_chunked_body_whose_end_the_server_does_not_tell_is_refused_unread(caplog: pytest.LogCaptureFixture) -> None:
    source, app = Input(b"payload"), reading()
    assert fetch(wrap(app), "POST", "/", source, HTTP_TRANSFER_ENCODING="chunked").status == "411 Length Required"
    assert source.reads == 0
    assert not hasattr(app, "events"), "the app never saw it: an empty body would have looked whole"
    assert "wsgi.input_terminated" in caplog.text


def on_uwsgi(app: Any, monkeypatch: pytest.MonkeyPatch, chunked_read: Any, **options: Any) -> Fetched:
    """A chunked upload, where `wsgi.input` has no end and the module `uwsgi` has a function instead."""
    uwsgi = types.ModuleType("uwsgi")
    uwsgi.chunked_read = chunked_read  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    more = {"HTTP_TRANSFER_ENCODING": "chunked", "uwsgi.version": b"2.0"}
    return fetch(wrap(app, **options), "POST", "/", Input(b""), **more)


def test_uwsgi_hands_chunks_over_by_a_function_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = iter([b"pay", b"load", b""])
    assert on_uwsgi(reading(), monkeypatch, lambda: next(chunks)).body == b"payload"


def test_uwsgis_chunks_are_limited_as_any_body(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = on_uwsgi(reading(), monkeypatch, lambda: b"again and again", max_body_size=100)
    assert peer.status.startswith("413")


def test_a_client_that_leaves_uwsgi_between_chunks_is_a_disconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    app, sent = reading(), [b"half"]

    def chunked_read() -> bytes:
        if not sent:
            raise OSError("unable to receive chunked part")
        return sent.pop()

    on_uwsgi(app, monkeypatch, chunked_read)
    assert [event["type"] for event in app.events] == ["http.request", "http.disconnect"]


def test_a_request_without_a_body_needs_no_input_at_all() -> None:
    assert fetch(wrap(reading()), wsgi_input=None, CONTENT_LENGTH="").body == b""


def test_never_a_byte_past_the_content_length_is_read() -> None:
    source = io.BytesIO(b"mine, and the next request")
    assert fetch(wrap(reading()), "POST", wsgi_input=source, CONTENT_LENGTH="4").body == b"mine"
    assert source.read() == b", and the next request"


@pytest.mark.parametrize("asleep", [True, False], ids=["while the input is read", "at once"])
def test_a_cancelled_receive_loses_nothing(asleep: bool) -> None:
    gate = threading.Event()
    source = Input(b"0123456789", gate)
    cancelled: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        first = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        if asleep:
            await asyncio.to_thread(source.reading.wait, BOUND)
        first.cancel()
        cancelled.extend(await asyncio.gather(first, return_exceptions=True))
        second = asyncio.ensure_future(reading()(scope, receive, send))
        await asyncio.sleep(0)
        gate.set()
        await second

    assert fetch(wrap(app), "POST", "/", source, CONTENT_LENGTH="10").body == b"0123456789"
    assert isinstance(cancelled[0], asyncio.CancelledError)  # not an event, not swallowed


def test_two_coroutines_may_receive_at_once() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        both = await asyncio.gather(receive(), receive())
        await send(head())
        await send(body(b"+".join(sorted(message.get("body", b"?") for message in both))))

    content = bytes(65_536) + b"\x01" * 65_536
    peer = fetch(wrap(app), "POST", "/", content)
    assert peer.body == bytes(65_536) + b"+" + b"\x01" * 65_536


def test_sending_does_not_wait_for_a_body_that_is_slow_to_come() -> None:
    gate, sent = threading.Event(), threading.Event()
    source = Input(b"0123456789", gate)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        waiting = asyncio.ensure_future(receive())
        await asyncio.to_thread(source.reading.wait, BOUND)  # the server's thread is inside wsgi.input.read()
        await send(head())
        await send(body(b"answer"))
        sent.set()
        await waiting

    threading.Thread(target=lambda: (sent.wait(BOUND), gate.set())).start()
    assert fetch(wrap(app), "POST", "/", source, CONTENT_LENGTH="10").body == b"answer"
    assert sent.is_set()


@pytest.mark.parametrize("size", ["10", "10485760"])
def test_an_answer_that_does_not_want_the_body_never_reads_it(size: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head(413))
        await send(body(b"too much"))

    source = Input(bytes(10))
    peer = fetch(wrap(app), "POST", "/", source, CONTENT_LENGTH=size, HTTP_EXPECT="100-continue")
    assert (peer.status[:3], peer.body, source.reads) == ("413", b"too much", 0)


def test_listening_for_a_disconnect_once_the_response_streams_reads_no_more() -> None:
    source = Input(b"0123456789")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["more_body"] is False
        listening = asyncio.ensure_future(receive())
        await send(head())
        await send(body(b"a", more=True))
        await send(body(b"b"))
        told.append(await listening)
        over.set()

    told: list[Any] = []
    over = threading.Event()
    assert fetch(wrap(app), "POST", "/", source, CONTENT_LENGTH="10").body == b"ab"
    assert over.wait(BOUND)
    assert source.reads == 1
    assert told == [{"type": "http.disconnect"}]


def test_an_upload_does_not_run_ahead_of_the_app() -> None:
    window, ahead = 100_000, []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        taken = 0
        while True:
            message = await receive()
            taken += len(message["body"])
            ahead.append(source.given - taken)
            if not message["more_body"]:
                break
        await send(head())
        await send(body(b"%d" % taken))

    class Source:
        given = 0

        def read(self, size: int) -> bytes:
            self.given += size
            return bytes(size)

    source: Any = Source()
    peer = fetch(wrap(app, window=window), "POST", wsgi_input=source, CONTENT_LENGTH="10000000")
    assert peer.body == b"10000000"
    assert max(ahead) <= window


def test_a_body_announced_larger_than_allowed_is_answered_413_and_the_app_is_not_called() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("called")

    peer = fetch(wrap(app, max_body_size=10), "POST", "/", b"12345678901")
    assert peer.status.startswith("413")
    assert peer.errors == ""


def test_a_body_that_grows_larger_than_allowed_is_answered_413() -> None:
    peer = fetch(
        wrap(reading(), max_body_size=10), "POST", wsgi_input=io.BytesIO(bytes(11)), wsgi_input_terminated=True
    )
    assert peer.status.startswith("413")
    fits = fetch(
        wrap(reading(), max_body_size=10), "POST", wsgi_input=io.BytesIO(bytes(10)), wsgi_input_terminated=True
    )
    assert fits.body == bytes(10)


def test_a_body_that_grows_too_large_after_the_response_began_is_a_disconnect() -> None:
    events: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"begun", more=True))
        events.append(await receive())
        await send(body(b"!"))

    found = run(wrap(app, max_body_size=10), Scenario("POST", headers={"transfer-encoding": "chunked"}, body=bytes(11)))
    assert found.body == b"begun"
    assert isinstance(found.exception, ClientDisconnected)
    assert events == [{"type": "http.disconnect"}]


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "5, 6", "9" * 30])
def test_a_content_length_that_is_no_number_is_answered_400(length: str, caplog: pytest.LogCaptureFixture) -> None:
    peer = fetch(wrap(reading()), "POST", "/", CONTENT_LENGTH=length)
    assert peer.status.startswith("400")
    assert "Content-Length is not one number" in caplog.text


def test_a_refusal_of_a_head_request_has_no_body() -> None:
    assert fetch(wrap(reading()), "HEAD", CONTENT_LENGTH="abc").body == b""


def test_a_middleware_that_took_the_body_may_put_another_in_its_place() -> None:
    environ = make_environ("POST", "/", b"original")
    environ.update({"wsgi.input": io.BytesIO(b"new"), "CONTENT_LENGTH": "3"})
    heads: list[Any] = []
    assert b"".join(wrap(reading())(environ, lambda *a: heads.append(a))) == b"new"
