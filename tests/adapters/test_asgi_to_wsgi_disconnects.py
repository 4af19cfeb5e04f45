"""AsgiToWsgi, when the server lets go of a response: the app is told, its `send` raises, in the end it is cancelled."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import socket
import threading
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from anysgi import AsgiToWsgi
from anysgi._bridge._loop_thread import shared_loop
from anysgi.adapters._asgi_exchange import AsgiExchange
from anysgi.adapters._client_watch import socket_check
from anysgi.exceptions import ClientDisconnected
from anysgi.testing import Disconnect, Scenario, run
from tests.conftest import BOUND, eventually

from ._calling import WsgiPeer, asgi_app, body, fetch, head, make_environ


def wrap(app: Any, **options: Any) -> AsgiToWsgi:
    return AsgiToWsgi(app, **{"lifespan": "off", **options})


def tasks() -> int:
    """How many tasks the shared loop has."""
    return len(asyncio.all_tasks(shared_loop("asyncio").port.loop))


class Ended(threading.Event):
    """How an app ended."""

    error: BaseException | None = None

    def watch(self, app: Any) -> Any:
        async def watched(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            except BaseException as error:
                self.error = error
                raise
            finally:
                self.set()

        return watched


async def endless(scope: Any, receive: Any, send: Any) -> None:
    await send(head())
    while True:
        await send(body(b"x" * 100, more=True))
        await asyncio.sleep(0)


@pytest.mark.parametrize("how", ["close", "forgotten"])
def test_send_raises_an_oserror_once_the_response_is_closed_and_the_task_ends(how: str) -> None:
    ended = Ended()
    before = tasks()
    peer = WsgiPeer(wrap(ended.watch(endless), window=1_000))
    for _ in range(3):
        assert peer.read()
    if how == "close":
        peer.close()
    else:  # a server that does not call close() at all
        del peer
        gc.collect()
    assert ended.wait(BOUND)
    assert isinstance(ended.error, OSError)
    assert eventually(lambda: tasks() <= before)


def test_a_pending_receive_is_told_of_the_disconnect() -> None:
    told, over = [], threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(head())
        await send(body(b"x", more=True))
        told.append(await receive())
        with pytest.raises(ClientDisconnected):
            await send(body(b"too late"))
        over.set()

    peer = WsgiPeer(wrap(app))
    assert peer.read() == b"x"
    peer.close()
    assert over.wait(BOUND)
    assert told == [{"type": "http.disconnect"}]


def test_an_app_that_heeds_neither_has_a_grace_period_and_is_cancelled_then() -> None:
    ended = Ended()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x", more=True))
        await asyncio.Event().wait()

    peer = WsgiPeer(wrap(ended.watch(app), grace=0.05))
    peer.read()
    peer.close()
    assert ended.wait(BOUND)
    assert isinstance(ended.error, asyncio.CancelledError)


def test_an_app_that_ends_within_the_grace_period_is_not_cancelled() -> None:
    ended, closed = Ended(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(head())
        await send(body(b"x", more=True))
        assert (await receive())["type"] == "http.disconnect"
        await asyncio.wait_for(closed.wait(), BOUND)  # tidying up takes a while

    peer = WsgiPeer(wrap(ended.watch(app), grace=60))
    peer.read()
    peer.close()
    assert not ended.is_set()
    shared_loop("asyncio").port.loop.call_soon_threadsafe(closed.set)
    assert ended.wait(BOUND)
    assert ended.error is None


def test_an_async_generator_is_closed_with_its_response() -> None:
    finalised, produced = threading.Event(), 0

    async def ticks() -> Any:
        nonlocal produced
        try:
            while True:
                produced += 1
                yield f"data: {produced}\n\n"
                await asyncio.sleep(0)
        finally:
            finalised.set()

    async def sse(request: Request) -> StreamingResponse:
        return StreamingResponse(ticks(), media_type="text/event-stream")

    before = tasks()
    found = run(
        wrap(Starlette(routes=[Route("/", sse)]), window=200, grace=0.1), Scenario(peer=[Disconnect(after_messages=4)])
    )
    assert all(b"data: " in chunk for chunk in found.chunks)
    assert len(found.chunks) == 3
    assert finalised.wait(BOUND)
    at_the_end = produced
    assert eventually(lambda: tasks() <= before)
    assert produced == at_the_end


def test_asking_whether_the_client_left_before_reading_the_body_loses_no_byte() -> None:
    async def page(request: Request) -> JSONResponse:
        asked = [await request.is_disconnected() for _ in range(3)]
        return JSONResponse([asked, (await request.body()).decode()])

    starlette = wrap(Starlette(routes=[Route("/", page, methods=["POST"])]))
    assert fetch(starlette, "POST", "/", b"0123456789").body == b'[[false,false,false],"0123456789"]'


def test_start_response_that_raises_reaches_the_server_and_ends_the_app() -> None:
    ended = Ended()
    adapter = wrap(ended.watch(endless), window=1_000)

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        raise LookupError("the server is broken")

    with pytest.raises(LookupError, match="the server is broken"):
        adapter(make_environ(), start_response)
    assert ended.wait(BOUND)
    assert isinstance(ended.error, OSError)


def test_closing_before_the_first_byte_was_read_ends_the_app_too() -> None:
    ended = Ended()
    peer = WsgiPeer(wrap(ended.watch(endless), window=1_000))
    peer.close()
    assert ended.wait(BOUND)


def test_closing_a_response_that_was_read_to_its_end_disturbs_nobody() -> None:
    ended = Ended()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x", more=True))
        await send(body(b"y"))

    peer = fetch(wrap(ended.watch(app)))
    assert peer.body == b"xy"
    assert ended.wait(BOUND)
    assert (ended.error, peer.errors) == (None, "")


def test_closing_when_the_end_is_made_but_not_read_leaves_the_background_task_alone() -> None:
    begun, gate, ended, sent = asyncio.Event(), asyncio.Event(), Ended(), threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x", more=True))
        await asyncio.wait_for(begun.wait(), BOUND)
        await send(body(b"y"))
        sent.set()
        await asyncio.wait_for(gate.wait(), BOUND)

    loop = shared_loop("asyncio").port.loop
    peer = WsgiPeer(wrap(ended.watch(app), grace=0.01))
    loop.call_soon_threadsafe(begun.set)
    assert sent.wait(BOUND)
    peer.close()
    loop.call_soon_threadsafe(gate.set)
    assert ended.wait(BOUND)
    assert ended.error is None


@pytest.mark.parametrize("key", ["gunicorn.socket", "werkzeug.socket"])
def test_an_app_that_is_silent_is_told_where_the_server_shows_its_connection(key: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x", more=True))
        await receive()
        ended.append((await receive())["type"])
        told.set()

    ended: list[str] = []
    told = threading.Event()
    theirs, ours = socket.socketpair()
    with theirs, ours:
        peer = WsgiPeer(wrap(app), **{key: theirs})
        assert peer.read() == b"x"
        ours.close()
        with pytest.raises(ClientDisconnected):
            peer.read()
        peer.close()
        assert told.wait(BOUND)
    assert ended == ["http.disconnect"]


def test_a_connection_the_server_has_closed_is_one_the_client_left() -> None:
    theirs, ours = socket.socketpair()
    theirs.close()
    ours.close()
    is_gone = socket_check({"gunicorn.socket": theirs})
    assert is_gone is not None
    assert is_gone()
    assert socket_check({}) is None


def test_a_client_that_only_sends_no_more_gets_a_response_that_does_not_let_it_wait() -> None:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        ours.shutdown(socket.SHUT_WR)
        assert fetch(wrap(asgi_app(head(), body(b"x"))), **{"gunicorn.socket": theirs}).body == b"x"


@pytest.mark.parametrize("key", ["waitress.client_disconnected", "anysgi.client_disconnected"])
@pytest.mark.parametrize("began", [True, False], ids=["after the head", "before the head"])
def test_an_app_that_is_silent_is_told_where_the_server_knows_that_the_client_left(key: str, began: bool) -> None:
    ended, left = Ended(), threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if began:
            await send(head())
            await send(body(b"x", more=True))
        left.set()
        assert (await receive())["type"] == "http.disconnect"

    looks: list[bool] = []

    def client_disconnected() -> bool:
        looks.append(left.is_set())
        return len(looks) > 1 and looks[-1]

    peer = WsgiPeer(wrap(ended.watch(app)), **{key: client_disconnected})
    if began:
        assert peer.read() == b"x"
        with pytest.raises(OSError, match="client left"):
            peer.read()
    peer.close()
    assert ended.wait(BOUND)
    assert ended.error is None


async def long_poll(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def closed() -> socket.socket:
    sock = socket.socket()
    sock.close()
    return sock


@pytest.mark.parametrize(
    ("departed", "status"),
    [
        ({"waitress.client_disconnected": lambda: True}, "503"),
        ({"gunicorn.socket": closed()}, "503"),
        ({"CONTENT_LENGTH": "9", "wsgi_input": io.BytesIO(b"half")}, "400"),
    ],
    ids=["the server says so", "its connection says so", "in the middle of its upload"],
)
def test_a_client_that_left_before_the_head_is_nobodys_mistake(
    departed: dict[str, Any], status: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "anysgi"):
        peer = fetch(wrap(long_poll), "POST", **departed)
    assert peer.status.startswith(status)
    said = [record.levelname for record in caplog.records if f"answered {status}" in record.getMessage()]
    assert said == ["DEBUG"]
    assert peer.errors == ""


def test_an_app_that_took_too_long_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert fetch(wrap(long_poll, timeout=0.01)).status.startswith("504")
    assert [record.levelname for record in caplog.records if "answered 504" in record.getMessage()] == ["WARNING"]


def test_waitress_hears_of_a_client_that_left_in_its_own_words() -> None:
    from waitress.channel import ClientDisconnected as TheirOwn  # waitress logs every other exception as an error

    left = threading.Event()
    peer = WsgiPeer(wrap(endless), **{"waitress.client_disconnected": left.is_set})
    assert peer.read()
    left.set()
    with pytest.raises(TheirOwn) as told:
        list(iter(peer.read, b""))
    assert isinstance(told.value, OSError)
    peer.close()


def test_an_error_after_the_client_left_is_nobodys_business(caplog: pytest.LogCaptureFixture) -> None:
    ended = Ended()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await endless(scope, receive, send)
        except OSError:
            raise LookupError("while tidying up") from None

    run(wrap(ended.watch(app), window=1_000), Scenario(peer=[Disconnect(after_messages=2)]))
    assert ended.wait(BOUND)
    assert isinstance(ended.error, LookupError)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("began", [False, True], ids=["before the head", "after it"])
def test_an_app_that_was_told_may_leave_without_finishing_and_is_not_blamed(began: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if began:
            await send(head())
            await send(body(b"begun", more=True))
        while (await receive())["type"] != "http.disconnect":
            pass

    cut_short = Scenario("POST", body=b"half of it", peer=[Disconnect(after_bytes=4)], like="gunicorn")
    found = run(wrap(app), cut_short)
    if began:
        with pytest.raises(ClientDisconnected, match="the client left"):
            found.raise_for_exception()
    else:
        assert found.status == 400
    assert found.request["wsgi.errors"].getvalue() == ""


@pytest.mark.parametrize("size", [5, 100_000], ids=["a small body", "a body larger than the window"])
def test_a_server_that_stops_at_the_content_length_has_not_left(size: int) -> None:
    """PEP 3333, "Handling the Content-Length Header"; the app's empty last message may come at any time later."""
    ended, closed = Ended(), threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head(200, (b"content-length", str(size).encode())))
        await send(body(b"x" * size, more=True))
        await asyncio.to_thread(closed.wait, BOUND)
        await send(body())

    peer = WsgiPeer(wrap(ended.watch(app), window=1024))
    while len(peer.body) < size:
        peer.read()
    peer.close()
    closed.set()
    assert ended.wait(BOUND)
    assert ended.error is None
    assert peer.errors == ""


@pytest.mark.parametrize("mode", ["thread", "inline"])
def test_a_request_that_comes_while_the_app_is_being_shut_down_is_refused_with_a_warning(
    mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = AsgiToWsgi(asgi_app(head(), body(b"served")), lifespan="off", mode=mode)
    adapter.start()
    assert adapter.homes.own is not None
    adapter.homes.own.closed = True
    assert fetch(adapter).status.startswith("503")
    assert "answered 503 Service Unavailable: the app is shutting down" in caplog.text
    adapter.homes.own.closed = False
    adapter.close()


def test_a_request_whose_loop_has_ended_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = AsgiToWsgi(asgi_app(head(), body(b"served")), lifespan="off")
    adapter.start()
    with monkeypatch.context() as ended:
        ended.setattr("anysgi._bridge._port.Port.post", lambda port, call: False)
        assert fetch(adapter).status.startswith("503")
    adapter.close()


def test_an_app_that_first_asks_after_its_response_is_told_that_the_client_is_gone() -> None:
    heard: list[Any] = []
    over = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"done"))
        heard.append(await receive())
        over.set()

    adapter = AsgiToWsgi(app, lifespan="off")
    assert fetch(adapter).body == b"done"
    assert over.wait(BOUND)
    assert heard == [{"type": "http.disconnect"}]
    adapter.close()


def test_an_app_that_ends_its_answer_to_a_head_within_grace_may_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    graces: list[asyncio.Event] = []
    later, outcome = threading.Event(), []
    cancel = AsgiExchange._cancel_unfinished

    def fired(exchange: AsgiExchange) -> None:
        cancel(exchange)
        graces[0].set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        graces.append(asyncio.Event())
        await send(head())
        await send(body(b"never sent", more=True))
        await send(body(b""))
        try:
            await graces[0].wait()
            await asyncio.sleep(0)  # where a cancellation would arrive
            outcome.append("went on")
        finally:
            later.set()

    monkeypatch.setattr(AsgiExchange, "_cancel_unfinished", fired)
    adapter = AsgiToWsgi(app, lifespan="off", grace=0.01)
    assert fetch(adapter, "HEAD").body == b""
    assert later.wait(BOUND)
    assert outcome == ["went on"]
    adapter.close()
