"""A WSGI app's WebSocket on an ASGI server: simple-websocket apps, and ones that do what they like on the socket."""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
from contextlib import suppress
from typing import Any

import anyio
import pytest
from flask import Flask
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server
from wsproto.events import Ping

from anysgi import AsgiToWsgi, WorkerPool, WsgiToAsgi
from tests.conftest import BOUND, eventually

from ._driving import comes_true, happens, wsgi_app
from ._sockets import DENIALS, App, WebSocketPeer, disconnect, echo, open_websocket, text, websocket_request

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("payload", ["hällo", b"\x00\xff", "", b"", "x" * 1_000_000], ids=lambda p: repr(p)[:12])
async def test_messages_go_both_ways(payload: str | bytes) -> None:
    nothing = {"bytes": None} if isinstance(payload, str) else {}
    peer = WebSocketPeer({"type": "websocket.receive"} | nothing | kind(payload))
    async with open_websocket(WsgiToAsgi(App(echo)), peer):
        (message,) = await peer.until("send")
        peer.leave_with(disconnect())
    assert message == {"type": "websocket.send"} | kind(payload)
    assert peer.kinds() == ["accept", "send"]


def kind(payload: str | bytes) -> dict[str, str | bytes]:
    return {"text" if isinstance(payload, str) else "bytes": payload}


async def test_flask_sock_runs_unchanged() -> None:
    app = Flask(__name__)
    Sock(app).route("/ws")(echo)
    peer = WebSocketPeer(text("hello"))
    async with open_websocket(WsgiToAsgi(app), peer):
        assert await peer.until("send") == [{"type": "websocket.send", "text": "hello"}]
        peer.leave_with(disconnect())


async def test_the_app_sees_a_request_of_its_kind() -> None:
    app = App(lambda ws: ws.close())
    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(app), peer, headers=[(b"cookie", b"a=b")], scheme="wss", state={"db": 1}):
        pass
    environ = app.environ
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["wsgi.url_scheme"]) == ("GET", "/ws", "https")
    assert (environ["HTTP_COOKIE"], environ["anysgi.state"]) == ("a=b", {"db": 1})
    assert environ["asgi.scope"]["type"] == "websocket"


async def test_a_subprotocol_is_chosen() -> None:
    peer = WebSocketPeer()
    app = App(lambda ws: ws.close(), subprotocols=["soap", "chat"])
    async with open_websocket(WsgiToAsgi(app), peer, subprotocols=["chat", "superchat"]):
        (accept,) = await peer.until("accept")
    assert accept == {"type": "websocket.accept", "subprotocol": "chat", "headers": []}


async def test_headers_of_the_apps_handshake_reach_the_client() -> None:
    class WithCookie(Server):  # type: ignore[misc]  # untyped
        def _handle_events(self) -> bool:
            sock, self.sock = self.sock, Rewriting(self.sock)
            try:
                return bool(super()._handle_events())
            finally:
                self.sock = sock

    class Rewriting:
        def __init__(self, sock: Any) -> None:
            self.sock = sock

        def send(self, data: bytes) -> None:
            status, line, rest = data.partition(b"\r\n")
            self.sock.send(status + line + b"Set-Cookie: a=b" + line + rest)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        WithCookie(environ).close()
        start_response("200 OK", [])
        return []

    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(app), peer):
        (accept,) = await peer.until("accept")
    assert accept["headers"] == [(b"set-cookie", b"a=b")]


@pytest.mark.parametrize(
    ("handler", "code", "reason"),
    [
        (lambda ws: ws.close(), 1000, ""),
        (lambda ws: ws.close(4001, "bye"), 4001, "bye"),
        (lambda ws: None, 1000, ""),
    ],
    ids=["close()", "close(4001, 'bye')", "return"],
)
async def test_how_the_app_closes(handler: Any, code: int, reason: str) -> None:
    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(App(handler)), peer):
        await peer.until("close")
    assert peer.sent[-1] == {"type": "websocket.close", "code": code, "reason": reason}
    assert peer.kinds() == ["accept", "close"]


async def test_what_the_app_said_before_it_returned_is_sent() -> None:
    def handler(ws: Any) -> None:
        for number in range(100):
            ws.send(f"{number}" * 1000)

    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(App(handler)), peer):
        pass
    assert [message["text"] for message in peer.of("send")] == [f"{number}" * 1000 for number in range(100)]
    assert peer.kinds()[-1] == "close"


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (disconnect(1000), 1000, None),
        (disconnect(4002, "bye"), 4002, "bye"),
        (disconnect(1005), 1005, None),
        (disconnect(1006), 1005, None),  # a vanished peer, which simple-websocket does not tell from a silent one
        ({"type": "websocket.disconnect"}, 1005, None),
    ],
    ids=repr,
)
async def test_how_the_client_closes(message: Any, code: int, reason: str | None) -> None:
    app = App(echo)
    peer = WebSocketPeer(text("hello"))
    async with open_websocket(WsgiToAsgi(app), peer):
        await peer.until("send")
        peer.leave_with(message)
    assert app.closed is not None
    assert (app.closed.reason, app.closed.message or None) == (code, reason)
    assert peer.kinds() == ["accept", "send"]


async def test_a_client_that_leaves_while_the_app_sends_ends_it() -> None:
    def handler(ws: Any) -> None:
        while True:
            ws.send(b"x" * 10_000)

    app = App(handler)
    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(app), peer):
        await peer.until("send", 3)
        peer.leave_with(disconnect(1001))
    await happens(app.ended)
    assert "close" not in peer.kinds()


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("after sending 'websocket.close'")])
@pytest.mark.parametrize("kind", ["accept", "send"])
async def test_a_server_whose_send_fails_has_lost_its_client(kind: str, error: Exception) -> None:
    def on_send(message: Any) -> None:
        if message["type"] == f"websocket.{kind}":
            raise error

    def handler(ws: Any) -> None:
        while True:
            ws.send(b"x" * 10_000)

    app = App(handler)
    async with open_websocket(WsgiToAsgi(app, grace=0.2), WebSocketPeer(on_send=on_send)):
        await happens(app.ended)


async def test_a_write_that_fails_as_the_client_was_gone_is_no_failure_of_the_app() -> None:
    def on_send(message: Any) -> None:
        if message["type"] == "websocket.send":
            raise OSError("gone")

    def handler(ws: Any) -> None:
        ws.send("hello")
        with suppress(ConnectionClosed):
            ws.receive()
        raise OSError(errno.EBADF, "what simple-websocket's send() raises then")

    app = App(handler)
    async with open_websocket(WsgiToAsgi(app), WebSocketPeer(on_send=on_send)):
        await happens(app.ended)


async def test_an_oserror_of_an_app_whose_client_is_there_is_its_failure() -> None:
    def handler(ws: Any) -> None:
        raise FileNotFoundError("no such room")

    with pytest.raises(FileNotFoundError, match="no such room"):
        async with open_websocket(WsgiToAsgi(App(handler)), WebSocketPeer()):
            pass


async def test_a_server_that_refuses_a_message_is_told_so() -> None:
    """daphne knows no other codes than 1000 and those from 3000 on."""

    def on_send(message: Any) -> None:
        if message["type"] == "websocket.close":
            raise ValueError("invalid close code")

    with pytest.raises(ValueError, match="invalid close code"):
        async with open_websocket(WsgiToAsgi(App(lambda ws: None, "500 Oh")), WebSocketPeer(on_send=on_send)):
            pass


# Denials


async def test_an_ordinary_response_denies_the_websocket() -> None:
    peer = WebSocketPeer()
    app = wsgi_app(b"not ", b"here", status="404 Not Found")
    async with open_websocket(WsgiToAsgi(app), peer, extensions=DENIALS):
        pass
    start, *bodies = peer.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 404)
    assert (b"content-type", b"text/plain") in start["headers"]
    assert {body["type"] for body in bodies} == {"websocket.http.response.body"}
    assert b"".join(body["body"] for body in bodies) == b"not here"
    assert not bodies[-1]["more_body"]


async def test_where_the_server_has_no_denials_it_closes_before_accepting() -> None:
    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(wsgi_app(b"not here", status="404 Not Found")), peer):
        pass
    assert peer.sent == [{"type": "websocket.close", "code": 1000}]


async def test_headers_that_contradict_themselves_are_answered_400() -> None:
    peer = WebSocketPeer()
    headers = [(b"host", b"other")]
    async with open_websocket(WsgiToAsgi(App(echo)), peer, extensions=DENIALS, headers=headers):
        pass
    assert peer.sent[0]["status"] == 400


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", b"hello\r\n\r\n"])
async def test_an_app_that_writes_something_else_on_its_socket_is_logged(
    answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ["werkzeug.socket"].sendall(answer)
        start_response("403 Forbidden", [])
        return [b"no"]

    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(app), peer, extensions=DENIALS):
        pass
    assert peer.sent[0]["status"] == 403
    assert "on its socket" in caplog.text


# Errors


async def test_an_app_that_fails_before_the_handshake_fails_the_request() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise LookupError("no such room")

    peer = WebSocketPeer()
    with pytest.raises(LookupError, match="no such room"):
        async with open_websocket(WsgiToAsgi(app), peer):
            pass
    assert peer.sent == []


async def test_an_app_that_is_none_is_told_so() -> None:
    with pytest.raises(AssertionError, match="start_response"):
        async with open_websocket(WsgiToAsgi(lambda environ, start_response: [b"x"]), WebSocketPeer()):
            pass


async def test_an_app_that_fails_after_the_handshake_closes_with_1011() -> None:
    def handler(ws: Any) -> None:
        raise LookupError("lost it")

    peer = WebSocketPeer()
    with pytest.raises(LookupError, match="lost it"):
        async with open_websocket(WsgiToAsgi(App(handler)), peer):
            pass
    assert peer.sent[-1] == {"type": "websocket.close", "code": 1011, "reason": ""}


async def test_a_framework_that_answers_500_after_the_handshake_closes_with_1011() -> None:
    app = Flask(__name__)

    @Sock(app).route("/ws")  # type: ignore[untyped-decorator]  # untyped
    def fail(ws: Any) -> None:
        raise LookupError("lost it")

    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(app), peer):
        pass
    assert peer.sent[-1] == {"type": "websocket.close", "code": 1011, "reason": ""}


async def test_a_response_after_the_websocket_may_be_as_wrong_as_it_likes() -> None:
    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(App(lambda ws: ws.close(), "101 Switching Protocols")), peer):
        pass
    assert peer.sent[-1] == {"type": "websocket.close", "code": 1000, "reason": ""}


async def test_an_app_whose_message_is_too_large_is_closed_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    app = App(lambda ws: ws.send(b"x" * 101) or ws.receive())
    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(app, max_message_size=100), peer):
        await peer.until("close")
    assert peer.sent[-1] == {"type": "websocket.close", "code": 1011, "reason": ""}
    assert "1009" in caplog.text
    assert app.closed is not None
    assert app.closed.reason == 1009


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"\x81\x82\0\0\0\0hi", 1002),
        (b"\xc1\x02hi", 1002),
        (b"\x83\x02hi", 1002),
        (b"\x09\x00", 1002),
        (b"\x80\x02hi", 1002),
        (b"\x88\x02\x03\xed", 1002),
        (b"\x88\x01\x03", 1002),
        (b"\x81\x02\xff\xff", 1007),
    ],
    ids=["masked", "reserved bit", "opcode", "ping in pieces", "rest of nothing", "Close 1005", "half a code", "UTF-8"],
)
async def test_an_app_that_breaks_rfc_6455_is_told_how_and_the_client_only_that_it_failed(
    wire: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = App(lambda ws: ws.sock.send(wire) and ws.receive())
    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(app), peer):
        await peer.until("close")
    assert peer.sent[-1] == {"type": "websocket.close", "code": 1011, "reason": ""}
    assert f"the app broke RFC 6455 on its socket: {code}" in caplog.text
    assert app.closed is not None
    assert app.closed.reason == code


# Limits, and everybody's patience


async def test_when_the_queue_is_full_the_websocket_is_answered_503() -> None:
    pool = WorkerPool(1, queue_limit=0)
    first, second = WebSocketPeer(text("hello")), WebSocketPeer()
    app = WsgiToAsgi(App(echo), pool=pool)
    async with open_websocket(app, first):
        await first.until("send")
        async with open_websocket(app, second, extensions=DENIALS):
            pass
        first.leave_with(disconnect())
    assert second.sent[0]["status"] == 503
    assert pool.close()


async def test_a_websocket_that_waits_too_long_for_a_thread_is_answered_503() -> None:
    first, second = WebSocketPeer(text("hello")), WebSocketPeer()
    app = WsgiToAsgi(App(echo), threads=1, queue_timeout=0.01)
    async with open_websocket(app, first):
        await first.until("send")
        async with open_websocket(app, second, extensions=DENIALS):
            pass
        first.leave_with(disconnect())
    assert second.sent[0]["status"] == 503


async def test_a_client_that_leaves_while_it_is_queued_never_reaches_the_app() -> None:
    calls: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        return App(echo)(environ, start_response)

    first, second = WebSocketPeer(text("hello")), WebSocketPeer()
    adapter = WsgiToAsgi(app, threads=1)
    async with open_websocket(adapter, first, path="/first"):
        await first.until("send")
        async with open_websocket(adapter, second, path="/second"):
            second.leave_with(disconnect(1006))
        first.leave_with(disconnect())
    assert calls == ["/first"]
    assert second.sent == []


async def test_the_timeout_of_responses_is_not_for_websockets() -> None:
    wait = threading.Event()
    app = App(lambda ws: wait.wait(BOUND) and ws.send("still here"))
    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(app, timeout=0.05), peer) as task:
        await peer.until("accept")
        await comes_true(settled(lambda: 0))
        assert not task.done()
        wait.set()
    assert peer.of("send") == [{"type": "websocket.send", "text": "still here"}]


async def test_an_app_that_does_not_read_stops_the_reading_of_its_client() -> None:
    wait = threading.Event()
    peer = WebSocketPeer(*({"type": "websocket.receive", "bytes": b"x" * 65_536} for _ in range(100)))

    def app(environ: Any, start_response: Any) -> list[bytes]:
        server = Blind(environ)
        wait.wait(BOUND)
        environ["werkzeug.socket"].close()
        start_response("200 OK", [])
        return [server.name]

    async with open_websocket(WsgiToAsgi(app), peer):
        await peer.until("accept")
        await comes_true(lambda: peer.received > 2)
        await comes_true(settled(lambda: peer.received))
        assert peer.received < 20
        wait.set()
        peer.leave_with(disconnect(1006))


class Blind(Server):  # type: ignore[misc]  # untyped
    """Shakes hands, and never reads."""

    name = b"blind"

    def _thread(self) -> None:
        pass


def settled(number: Any) -> Any:
    """A condition: a number has stayed the same for 50 looks."""
    looks: list[int] = []

    def same() -> bool:
        looks.append(number())
        return len(looks) > 50 and len(set(looks[-50:])) == 1

    return same


async def test_a_client_that_does_not_read_stops_the_app() -> None:
    sent: list[int] = []
    room = threading.Event()

    def handler(ws: Any) -> None:
        for number in range(100):
            ws.send(b"x" * 65_536)
            sent.append(number)

    async def on_send(message: Any) -> None:
        if message["type"] == "websocket.send":
            await happens(room)

    peer = WebSocketPeer(on_send=on_send)
    async with open_websocket(WsgiToAsgi(App(handler)), peer):
        await comes_true(lambda: len(sent) > 0)
        await comes_true(settled(lambda: len(sent)))
        assert len(sent) < 20
        room.set()
    assert len(peer.of("send")) == 100


async def test_an_app_that_will_not_hear_of_it_is_left_to_its_thread(caplog: pytest.LogCaptureFixture) -> None:
    wait = threading.Event()
    app = App(lambda ws: wait.wait(BOUND))
    peer = WebSocketPeer()
    with caplog.at_level(logging.WARNING):
        async with open_websocket(WsgiToAsgi(app, grace=0.05), peer):
            await peer.until("accept")
            peer.leave_with(disconnect(1001))
    wait.set()
    await happens(app.ended)
    assert "its thread is left to it" in caplog.text


async def test_a_server_that_cancels_the_request_ends_the_app() -> None:
    app = App(echo)
    peer = WebSocketPeer(text("hello"))
    async with open_websocket(WsgiToAsgi(app), peer, cancelled=True) as task:
        await peer.until("send")
        task.cancel()
    assert task.cancelled()
    await happens(app.ended)


async def test_a_scope_that_cancels_every_wait_leaves_no_socket_open() -> None:
    """anyio's scopes, as Starlette's TestClient uses one, cancel again for as long as somebody waits in them."""
    app, peer = App(echo), WebSocketPeer(text("hello"))
    with anyio.CancelScope() as scope:

        async def leave() -> None:
            await peer.until("send")
            scope.cancel()

        leaving = asyncio.create_task(leave())
        peer.loop = asyncio.get_running_loop()
        await WsgiToAsgi(app)(websocket_request(), peer.receive, peer.send)  # type: ignore[arg-type]
    await leaving
    assert scope.cancelled_caught
    await comes_true(lambda: app.environ["werkzeug.socket"].fileno() == -1)
    await happens(app.ended)


async def test_the_apps_pings_are_answered() -> None:
    def handler(ws: Any) -> None:
        ws.pong_received = False
        ws.sock.send(ws.ws.send(Ping()))
        assert eventually(lambda: ws.pong_received)
        ws.send("there was a pong")

    peer = WebSocketPeer()
    async with open_websocket(WsgiToAsgi(App(handler)), peer):
        assert await peer.until("send") == [{"type": "websocket.send", "text": "there was a pong"}]


async def test_a_message_the_app_will_not_read_any_more_is_dropped() -> None:
    closing = threading.Event()

    async def on_send(message: Any) -> None:
        if message["type"] == "websocket.close":
            closing.set()

    peer = WebSocketPeer(on_send=on_send)
    async with open_websocket(WsgiToAsgi(App(lambda ws: ws.receive() and ws.close())), peer):
        await peer.until("accept")
        peer.push(*(text(f"{number}") for number in range(50)))
        await happens(closing)
    assert peer.kinds() == ["accept", "close"]


async def test_an_asgi_app_inside_two_adapters_keeps_its_websocket() -> None:
    """WSGI middleware around an ASGI app, on an ASGI server."""

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept", "headers": [(b"set-cookie", b"a=b")]})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})

    wsgi = AsgiToWsgi(inner, lifespan="off")
    peer = WebSocketPeer(text("hello"))
    async with open_websocket(WsgiToAsgi(lambda environ, start_response: wsgi(environ, start_response)), peer):
        assert await peer.until("send") == [{"type": "websocket.send", "text": "hello"}]
        peer.leave_with(disconnect(4000))
    assert peer.of("accept")[0]["headers"] == [(b"set-cookie", b"a=b")]
