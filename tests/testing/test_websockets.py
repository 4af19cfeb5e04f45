"""WebSocket sessions: both conventions, awaiting or not, on asyncio, uvloop and trio; nothing waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from flask import Flask
from flask_sock import Sock

from anysgi.exceptions import AppProtocolError, ClientDisconnected, WebSocketClosed, WebSocketDenied
from anysgi.testing import ASGITransport, LintASGI, TestClient, connect_websocket

pytestmark = pytest.mark.anyio
BASE = "http://testserver"
Play = Callable[[Any, Any], Awaitable[None]]


@pytest.fixture(params=["asyncio", "trio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return ("asyncio", {"use_uvloop": True}) if request.param == "uvloop" else request.param


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says everything back; ends when the client does."""
    assert await receive() == {"type": "websocket.connect"}
    await send({"type": "websocket.accept", "headers": [(b"x-path", scope["path"].encode())]})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


def accepts(play: Play) -> Any:
    """An app that accepts, and goes on."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await play(receive, send)

    return app


def sends(*messages: Any) -> Any:
    """An app that receives the connect, and sends."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in messages:
            await send(message)

    return app


def flask_echo() -> Flask:
    app = Flask("echo")
    sock = Sock(app)

    @sock.route("/ws")
    def ws(ws: Any) -> None:
        while True:
            ws.send(ws.receive())

    return app


# What is said


async def test_everything_comes_back_as_it_was_sent() -> None:
    async with connect_websocket(echo, "/ws?a=1") as websocket:
        assert websocket.headers == [(b"x-path", b"/ws")]
        assert websocket.subprotocol is None
        await websocket.send_text("")
        assert await websocket.receive_text() == ""
        await websocket.send_bytes(b"")
        assert await websocket.receive_bytes() == b""
        await websocket.send_json([1, "é"])
        assert await websocket.receive() == {"type": "websocket.send", "text": '[1,"é"]'}
        await websocket.send_json({"a": None}, mode="binary")
        assert await websocket.receive_json(mode="binary") == {"a": None}


async def test_a_wsgi_app_gets_a_socket(anyio_backend: Any) -> None:
    async with connect_websocket(flask_echo(), "/ws") as websocket:
        await websocket.send_text("hello")
        assert await websocket.receive_text() == "hello"
        await websocket.send_bytes(b"\x00")
        assert await websocket.receive_bytes() == b"\x00"


def test_a_sync_session_has_every_method() -> None:
    with TestClient(echo).websocket_connect("/") as websocket:
        assert websocket.extra_headers == [(b"x-path", b"/")]
        websocket.send_json({"a": 1})
        assert websocket.receive() == {"type": "websocket.send", "text": '{"a":1}'}
        websocket.close(3000, "enough")


@pytest.mark.parametrize("entered", [True, False])
def test_a_wsgi_app_speaks_with_a_sync_client_too(entered: bool) -> None:
    client = TestClient(flask_echo())
    if entered:
        client.__enter__()
    with client.websocket_connect("/ws") as websocket:
        websocket.send_text("hello")
        assert websocket.receive_text() == "hello"
    assert client.get("/").status_code == 404
    client.close()


async def test_the_scope_is_what_a_server_makes_of_the_handshake() -> None:
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await receive()
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][1]})

    async with connect_websocket(app, "/a%20b?q=1", ["v1", "v2"], headers={"x-a": "b"}) as websocket:
        assert websocket.subprotocol == "v2"
    [scope] = seen
    assert (scope["type"], scope["scheme"], scope["path"], scope["query_string"]) == ("websocket", "ws", "/a b", b"q=1")
    assert "method" not in scope
    headers = dict(scope["headers"])
    assert (headers[b"upgrade"], headers[b"sec-websocket-version"], headers[b"x-a"]) == (b"websocket", b"13", b"b")


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_client_lends_its_cookies_headers_and_lifespan(library: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["greeting"] = "hello"
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        await receive()
        await send({"type": "websocket.accept"})
        headers = dict(scope["headers"])
        words = [scope["scheme"], scope["path"], scope["state"]["greeting"], headers[b"cookie"], headers[b"x-a"]]
        await send({"type": "websocket.send", "text": " ".join(map(str, words))})

    async with (
        library.AsyncClient(
            transport=ASGITransport(app), base_url="https://shop/api/", cookies={"a": "1"}, headers={"x-a": "b"}
        ) as client,
        connect_websocket(client, "ws") as websocket,
    ):
        assert await websocket.receive_text() == "wss /api/ws hello b'a=1' b'b'"


async def test_the_kit_keeps_the_rules_itself() -> None:
    lint = LintASGI(echo, on="collect", select=("all",))
    async with connect_websocket(lint, "/", ["v1"]) as websocket:
        await websocket.send_text("a")
        await websocket.receive_text()
        await websocket.close(3000, "enough")
    for reply in ({"type": "websocket.close"}, {"type": "websocket.http.response.start", "status": 401}):
        body = [{"type": "websocket.http.response.body", "body": b"no"}] * (len(reply) == 2 and "status" in reply)
        lint.app = sends(reply, *body)
        with pytest.raises(WebSocketDenied):
            async with connect_websocket(lint):
                pass
    assert lint.findings == []


# How it ends


async def test_where_starlette_is_at_work_the_errors_are_starlettes_too() -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect) as closed:
        async with connect_websocket(sends({"type": "websocket.close", "code": 1008, "reason": "no"})):
            pass
    assert (closed.value.code, closed.value.reason, str(closed.value)) == (
        1008,
        "no",
        "the WebSocket was denied with status 403: no",
    )


async def test_a_client_that_closes_says_why() -> None:
    ended: list[Any] = []

    async def play(receive: Any, send: Any) -> None:
        ended.extend([await receive(), await receive()])
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.send", "text": "too late"})

    async with connect_websocket(accepts(play)) as websocket:
        await websocket.close(3001, "enough")
        with pytest.raises(WebSocketClosed, match="3001: enough"):
            await websocket.send_text("too late")
    assert ended == [{"type": "websocket.disconnect", "code": 3001, "reason": "enough"}] * 2


async def test_leaving_the_block_is_a_normal_close() -> None:
    ended: list[Any] = []

    async def play(receive: Any, send: Any) -> None:
        ended.append((await receive())["code"])

    async with connect_websocket(accepts(play)):
        pass
    assert ended == [1000]


async def test_an_app_that_closes_says_why_as_often_as_it_is_asked() -> None:
    async def play(receive: Any, send: Any) -> None:
        await send({"type": "websocket.send", "text": "bye"})
        await send({"type": "websocket.close", "code": 3000, "reason": "enough"})

    async with connect_websocket(accepts(play)) as websocket:
        assert await websocket.receive_text() == "bye"
        for _ in range(2):
            with pytest.raises(WebSocketClosed, match="enough") as closed:
                await websocket.receive_text()
            assert (closed.value.code, closed.value.reason) == (3000, "enough")
        with pytest.raises(WebSocketClosed):
            await websocket.send_text("more")


async def test_a_handshake_can_be_denied() -> None:
    with pytest.raises(WebSocketDenied, match="403: not you") as denied:
        async with connect_websocket(sends({"type": "websocket.close", "code": 1008, "reason": "not you"})):
            pass
    assert (denied.value.code, denied.value.status) == (1008, 403)
    response = {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-a", b"b")]}
    pieces = [
        {"type": "websocket.http.response.body", "body": b"n", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"o"},
    ]
    with pytest.raises(WebSocketDenied, match="401") as denied:
        async with connect_websocket(sends(response, *pieces)):
            pass
    answer: Any = denied.value.response
    assert (denied.value.status, answer.content, answer.headers["x-a"]) == (401, b"no", "b")


# Errors


async def fails(receive: Any, send: Any) -> None:
    await receive()
    raise LookupError("inside")


async def test_what_the_app_raises_is_raised_where_somebody_waits() -> None:
    async with connect_websocket(accepts(fails)) as websocket:
        await websocket.send_text("a")
        with pytest.raises(LookupError, match="inside"):
            await websocket.receive_text()


async def test_what_the_app_raises_is_raised_at_the_end_of_the_block() -> None:
    with pytest.raises(LookupError, match="inside"):
        async with connect_websocket(accepts(fails)) as websocket:
            await websocket.send_text("a")


async def test_what_the_app_raises_at_once_is_raised_by_the_handshake() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("at once")

    with pytest.raises(LookupError, match="at once"):
        async with connect_websocket(app):
            pass


async def test_an_error_of_the_test_itself_is_not_replaced() -> None:
    with pytest.raises(ZeroDivisionError):
        async with connect_websocket(accepts(fails)):
            raise ZeroDivisionError


@pytest.mark.parametrize(
    "app",
    [
        sends(),
        sends({"type": "websocket.send", "text": "before the accept"}),
        sends({"type": "websocket.accept"}, {"type": "websocket.accept"}),
        sends({"type": "websocket.accept"}, {"type": "http.response.start", "status": 200}),
        sends({"type": "websocket.http.response.start", "status": 401}),
    ],
)
async def test_an_app_that_breaks_the_protocol_is_told(app: Any) -> None:
    with pytest.raises(AppProtocolError):
        async with connect_websocket(app) as websocket:
            await websocket.receive()


async def test_a_message_after_the_apps_own_close_is_its_mistake() -> None:
    late = {"type": "websocket.send", "text": "late"}
    with pytest.raises(AppProtocolError, match="cannot be sent while the WebSocket is CLOSED"):
        async with connect_websocket(sends({"type": "websocket.accept"}, {"type": "websocket.close"}, late)):
            pass


async def test_a_message_of_the_other_kind_is_an_error() -> None:
    async with connect_websocket(echo) as websocket:
        await websocket.send_bytes(b"a")
        with pytest.raises(AssertionError, match="has no text"):
            await websocket.receive_text()


# Nothing hangs


async def waits(scope: Any, receive: Any, send: Any) -> None:
    await anyio.sleep(30)


async def test_every_wait_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.testing._app_task.GRACE", 0.02)
    started = time.monotonic()
    with pytest.raises(httpx2.ReadTimeout):
        async with connect_websocket(waits, timeout=0.05):
            pass
    with pytest.raises(TimeoutError):
        async with connect_websocket(echo, timeout=0.05) as websocket:
            await websocket.receive_text()
    assert time.monotonic() - started < 5


async def test_an_app_that_does_not_end_when_its_client_leaves_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.testing._app_task.GRACE", 0.02)
    ended: list[str] = []

    async def play(receive: Any, send: Any) -> None:
        try:
            await anyio.sleep(30)
        finally:
            ended.append("cancelled")

    async with connect_websocket(accepts(play)):
        pass
    assert ended == ["cancelled"]


def blocks_for_a_second() -> None:
    time.sleep(1.0)  # there is no other way to block a loop, and nothing waits for it


def ask(client: TestClient) -> None:
    client.get("/")


def open_one(client: TestClient) -> None:
    with client.websocket_connect("/handshake", timeout=0.05):
        pass


def say_something(client: TestClient) -> None:
    with client.websocket_connect("/", timeout=0.05) as websocket:
        websocket.send_text("a")
        websocket.receive_text()


@pytest.mark.parametrize("use", [ask, open_one, say_something])
def test_an_app_that_blocks_the_loop_does_not_block_the_test(monkeypatch: pytest.MonkeyPatch, use: Any) -> None:
    monkeypatch.setattr("anysgi.testing._transports._loop_thread._SLACK", 0.05)
    monkeypatch.setattr("anysgi.testing._app_task.GRACE", 0.05)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["path"] == "/" and scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await receive()
        blocks_for_a_second()
        through.set()

    through = threading.Event()
    started = time.monotonic()
    with pytest.raises((httpx2.ReadTimeout, TimeoutError)):
        use(TestClient(app, timeout=0.05))
    assert time.monotonic() - started < 0.9
    assert through.wait(10)  # else the next test's watch would find this loop blocked
