"""An ASGI app's WebSocket on the socket of a WSGI server: one thread calls the app, wsproto is the client."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from wsproto import events

from anysgi import AsgiToWsgi
from anysgi.exceptions import AppProtocolError, AppValueError, ClientDisconnected
from tests.conftest import BOUND, eventually

from ._calling import fetch
from ._certificates import tls_contexts
from ._sockets import Client, on_a_socket


def wrap(app: Any, **options: Any) -> AsgiToWsgi:
    return AsgiToWsgi(app, **{"lifespan": "off", **options})


class App:
    """An ASGI app around a handler of a Starlette `WebSocket`, accepted unless told otherwise.

    Attributes:
        ended: set once the handler has.
        error: what it raised.
    """

    def __init__(self, handler: Any, *, accept: bool = True) -> None:
        self._handler, self._accept = handler, accept
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.scope: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        ws = SimpleNamespace(receive=receive, send=send, scope=scope)
        assert await receive() == {"type": "websocket.connect"}
        try:
            if self._accept:
                await send({"type": "websocket.accept"})
            await self._handler(ws)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.ended.set()


async def echo(ws: Any) -> None:
    while (message := await ws.receive())["type"] == "websocket.receive":
        await ws.send({**message, "type": "websocket.send"})


def say(payload: str | bytes) -> dict[str, Any]:
    return {"type": "websocket.send", "text" if isinstance(payload, str) else "bytes": payload}


@pytest.mark.parametrize("payload", ["hällo", b"\x00\xff", "", b"", "x" * 1_000_000], ids=lambda p: repr(p)[:12])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "trio"])
def test_messages_go_both_ways(payload: str | bytes, loop: str) -> None:
    with on_a_socket(wrap(App(echo), loop=loop)) as (client, call):
        client.send(payload)
        assert client.receive() == payload
        client.close(1000)
        assert client.closed() == (1000, "")
        assert client.next() is None
    assert call.status() == "101 Switching Protocols"


def test_starlette_runs_unchanged() -> None:
    async def route(ws: WebSocket) -> None:
        await ws.accept(subprotocol="chat", headers=[(b"set-cookie", b"a=b")])
        async for number in ws.iter_json():
            await ws.send_json(number + 1)

    app = wrap(Starlette(routes=[WebSocketRoute("/ws", route)]))
    with on_a_socket(app, HTTP_SEC_WEBSOCKET_PROTOCOL="superchat, chat", accept=False) as (client, call):
        head = client.sock.recv(65_536)
        assert b"\r\nSec-WebSocket-Protocol: chat\r\n" in head
        assert b"\r\nset-cookie: a=b\r\n" in head
        client.sock.close()
    assert call.status().startswith("101")


def test_the_app_sees_a_websocket_scope() -> None:
    app = App(echo)
    with on_a_socket(wrap(app), HTTP_COOKIE="a=b", QUERY_STRING="room=1") as (client, _):
        client.close()
    scope = app.scope
    assert (scope["type"], scope["path"], scope["scheme"]) == ("websocket", "/ws", "ws")
    assert (scope["query_string"], scope["extensions"]) == (b"room=1", {"websocket.http.response": {}})
    assert (b"cookie", b"a=b") in scope["headers"]
    assert "method" not in scope


def test_pings_are_answered_while_the_app_is_busy_with_something_else() -> None:
    wait = threading.Event()

    async def handler(ws: Any) -> None:
        await asyncio.to_thread(wait.wait, BOUND)

    with on_a_socket(wrap(App(handler))) as (client, _):
        client.sock.sendall(client.ws.send(events.Ping(b"there?")))
        pong = client.next()
        assert (type(pong), pong.payload) == (events.Pong, b"there?")
        wait.set()
        assert client.closed() == (1000, "")


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ({"type": "websocket.close"}, 1000, ""),
        ({"type": "websocket.close", "code": 4001, "reason": "bye"}, 4001, "bye"),
        (None, 1000, ""),
    ],
    ids=["close", "close 4001", "return"],
)
def test_how_the_app_closes(message: Any, code: int, reason: str) -> None:
    async def handler(ws: Any) -> None:
        await ws.send(say("last words"))
        if message is not None:
            await ws.send(message)

    with on_a_socket(wrap(App(handler))) as (client, call):
        assert client.receive() == "last words"
        assert client.closed() == (code, reason)
        assert client.next() is None
    assert call.status().startswith("101")


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (4002, "bye"), (1005, "")])
def test_how_the_client_closes(code: int, reason: str) -> None:
    heard = []

    async def handler(ws: Any) -> None:
        heard.extend([await ws.receive(), await ws.receive()])
        with pytest.raises(ClientDisconnected):
            await ws.send(say("too late"))

    app = App(handler)
    with on_a_socket(wrap(app)) as (client, _):
        frame = struct.pack("!H", code) + reason.encode() if code != 1005 else b""
        client.sock.sendall(bytes([0x88, 0x80 | len(frame)]) + b"\0\0\0\0" + frame)
        assert client.closed() == (code, reason)
        assert client.next() is None
    assert app.ended.wait(BOUND)
    assert heard == [{"type": "websocket.disconnect", "code": code, "reason": reason}] * 2
    assert app.error is None


@pytest.mark.parametrize("half_a_frame", [b"", b"\x81", b"\x81\x85\0\0\0\0hel"], ids=["nothing", "a byte", "half"])
def test_a_client_that_vanishes_is_a_1006(half_a_frame: bytes) -> None:
    heard = []

    async def handler(ws: Any) -> None:
        heard.append(await ws.receive())

    app = App(handler)
    with on_a_socket(wrap(app)) as (client, call):
        client.sock.sendall(half_a_frame)
        client.sock.close()
        assert call.status().startswith("101")
    assert app.ended.wait(BOUND)
    assert heard == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


def test_an_app_that_only_sends_is_told_by_its_send() -> None:
    async def handler(ws: Any) -> None:
        while True:
            await ws.send(say("x" * 1000))

    app = App(handler)
    with on_a_socket(wrap(app)) as (client, call):
        client.receive()
        client.sock.close()
        assert call.status().startswith("101")
    assert app.ended.wait(BOUND)
    assert isinstance(app.error, ClientDisconnected)


def test_an_app_that_goes_on_after_its_client_left_is_cancelled() -> None:
    async def handler(ws: Any) -> None:
        await asyncio.Event().wait()

    app = App(handler)
    with on_a_socket(wrap(app, grace=0.05)) as (client, call):
        client.close()
        assert call.status().startswith("101")
    assert app.ended.wait(BOUND)
    assert isinstance(app.error, asyncio.CancelledError)


def test_an_app_may_go_on_after_its_own_close(caplog: pytest.LogCaptureFixture) -> None:
    go_on = threading.Event()

    async def handler(ws: Any) -> None:
        await ws.send({"type": "websocket.close"})
        assert await asyncio.to_thread(go_on.wait, BOUND)

    app = App(handler)
    with on_a_socket(wrap(app, grace=0.05)) as (client, call):
        assert client.closed() == (1000, "")
        assert call.status().startswith("101")
        eventually(lambda: False, 0.1)
        assert not app.ended.is_set()
    caplog.clear()  # of what apps of earlier tests said when they were cancelled
    go_on.set()  # the server has closed its socket by now
    assert app.ended.wait(BOUND)
    assert app.error is None
    assert not eventually(lambda: "failed" in caplog.text, 0.1)


@pytest.mark.parametrize("closes", ["app", "broken"])
def test_a_client_that_never_answers_a_close_is_not_waited_for(closes: str) -> None:
    async def handler(ws: Any) -> None:
        if closes == "app":
            await ws.send({"type": "websocket.close"})
        await ws.receive()

    with on_a_socket(wrap(App(handler), grace=0.05)) as (client, call):
        if closes == "broken":
            client.sock.sendall(b"\xff\xff\xff\xff")
        event = client.next()
        assert isinstance(event, events.CloseConnection)
        assert call.status().startswith("101")


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"\x81\x02hi", 1002),
        (b"\xf1\x82\0\0\0\0hi", 1002),
        (b"\x83\x82\0\0\0\0hi", 1002),
        (b"\x81\x82\0\0\0\0\xff\xff", 1007),
        (b"\x82\xfe\x03\xe9\0\0\0\0" + b"x" * 1001, 1009),
        (b"\x82\xff" + b"\x0f" * 8 + b"\0\0\0\0" + b"x" * 1001, 1009),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", 1002),
    ],
    ids=["unmasked", "reserved bits", "opcode", "UTF-8", "too large", "far too large", "HTTP"],
)
def test_broken_frames_close_with_the_code_that_says_so(wire: bytes, code: int) -> None:
    heard = []

    async def handler(ws: Any) -> None:
        heard.append(await ws.receive())

    with on_a_socket(wrap(App(handler), max_message_size=1000)) as (client, call):
        client.sock.sendall(wire)
        assert client.closed()[0] == code
        assert client.next() is None
        client.sock.close()
        assert call.status().startswith("101")
    assert heard[0]["code"] == code


def test_a_client_that_sends_nothing_at_all_is_gone_after_two_pings() -> None:
    heard = []

    async def handler(ws: Any) -> None:
        heard.append(await ws.receive())

    app = App(handler)
    with on_a_socket(wrap(app, ping_interval=0.05)) as (client, call):
        assert call.status().startswith("101")
        assert client.sock.recv(100) == b"\x89\x00"  # one ping, and not a second
    assert app.ended.wait(BOUND)
    assert heard[0]["code"] == 1006


def test_a_client_that_answers_pings_stays() -> None:
    app = App(echo)
    with on_a_socket(wrap(app, ping_interval=0.4)) as (client, _):
        for _ in range(3):
            assert isinstance(client.next(), events.Ping)
        assert not app.ended.is_set()
        client.close()


@pytest.mark.parametrize("interval", [None, 20.0])
def test_a_window_full_of_messages_stops_the_reading(interval: float | None) -> None:
    wait = threading.Event()
    heard = 0

    async def handler(ws: Any) -> None:
        nonlocal heard
        assert await asyncio.to_thread(wait.wait, BOUND)
        while (await ws.receive())["type"] == "websocket.receive":
            heard += 1

    app = App(handler)
    with on_a_socket(wrap(app, window=65_536, ping_interval=interval)) as (client, _):
        sent = client.send_until_full(b"x" * 10_000)
        assert sent < 100
        wait.set()
        client.sock.close()
    assert app.ended.wait(BOUND)
    assert heard >= sent - 1


def test_messages_nobody_took_do_not_hide_the_answer_to_a_close() -> None:
    async def handler(ws: Any) -> None:
        await ws.receive()
        for _ in range(5):
            await asyncio.sleep(0)  # the window fills again

    with on_a_socket(wrap(App(handler), window=10, grace=2 * BOUND)) as (client, call):
        client.sock.sendall(b"".join(client.ws.send(events.BytesMessage(b"x" * 20)) for _ in range(3)))
        assert client.closed() == (1000, "")
        assert call.status().startswith("101")


def test_a_client_that_does_not_read_stops_the_app() -> None:
    sent = 0

    async def handler(ws: Any) -> None:
        nonlocal sent
        for _ in range(1000):
            await ws.send(say(b"x" * 10_000))
            sent += 1

    app = App(handler)
    with on_a_socket(wrap(app)) as (client, _):
        assert eventually(lambda: sent > 0)
        before = -1
        while before != sent:
            before = sent
            eventually(lambda: False, 0.1)
        assert sent < 100
        for _ in range(1000):
            assert len(client.receive()) == 10_000
        assert client.closed() == (1000, "")


def test_messages_from_many_tasks_are_not_mixed_up() -> None:
    async def handler(ws: Any) -> None:
        await asyncio.gather(*(ws.send(say(f"{n}" * 100_000)) for n in range(10)))

    with on_a_socket(wrap(App(handler))) as (client, _):
        assert sorted(client.receive() for _ in range(10)) == [f"{n}" * 100_000 for n in range(10)]  # type: ignore[type-var]
        assert client.closed() == (1000, "")


def test_a_cancelled_send_leaves_no_torn_frame() -> None:
    async def handler(ws: Any) -> None:
        sending = asyncio.ensure_future(ws.send(say(b"x" * 5_000_000)))
        await ws.receive()
        assert not sending.done()
        sending.cancel()
        await ws.receive()
        await ws.send(say("whole"))

    with on_a_socket(wrap(App(handler))) as (client, _):
        assert client.sock.recv(1, socket.MSG_PEEK), "its first bytes are out, and there is no room for them all"
        client.send("cancel it")
        client.send("go on")
        assert len(client.receive()) == 5_000_000
        assert client.receive() == "whole"
        assert client.closed() == (1000, "")


# Denials and errors


@pytest.mark.parametrize("body", [[b"not here"], [b"not ", b"here"]], ids=["whole", "pieces"])
def test_an_http_response_denies_the_websocket(body: list[bytes]) -> None:
    async def handler(ws: Any) -> None:
        head = {"type": "websocket.http.response.start", "status": 404, "headers": [(b"x-why", b"gone")]}
        await ws.send(head)
        for number, piece in enumerate(body, 1):
            more = number < len(body)
            await ws.send({"type": "websocket.http.response.body", "body": piece, "more_body": more})

    with on_a_socket(wrap(App(handler, accept=False)), accept=False) as (client, call):
        assert call.status() == "404 Not Found"
        assert call.peer is not None
        assert (call.peer.body, dict(call.peer.headers)["x-why"]) == (b"not here", "gone")
        client.sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.sock.recv(1)


def test_a_close_before_the_accept_is_a_403() -> None:
    async def handler(ws: Any) -> None:
        await ws.send({"type": "websocket.close", "code": 1008})

    with on_a_socket(wrap(App(handler, accept=False)), accept=False) as (_, call):
        assert call.status() == "403 Forbidden"


def test_an_app_that_fails_before_the_accept_is_answered_500() -> None:
    async def handler(ws: Any) -> None:
        raise LookupError("no such room")

    with on_a_socket(wrap(App(handler, accept=False)), accept=False) as (_, call):
        assert call.status().startswith("500")
        assert call.peer is not None
        assert "no such room" in call.peer.errors


def test_an_app_that_returns_without_an_answer_is_answered_500() -> None:
    async def handler(ws: Any) -> None:
        pass

    with on_a_socket(wrap(App(handler, accept=False)), accept=False) as (_, call):
        assert call.status().startswith("500")


def test_an_app_that_fails_later_closes_with_1011_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(ws: Any) -> None:
        raise LookupError("lost it")

    with on_a_socket(wrap(App(handler))) as (client, call):
        assert client.closed() == (1011, "")
        assert call.status().startswith("101")
        assert call.peer is not None
        errors = call.peer.errors
    assert "lost it" in errors or eventually(lambda: "lost it" in caplog.text)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"type": "websocket.send", "text": 3}, TypeError),
        ({"type": "websocket.close", "code": 1005}, AppValueError),
        ({"type": "websocket.accept"}, AppProtocolError),
        ({"type": "http.response.start"}, AppProtocolError),
    ],
    ids=repr,
)
def test_mistakes_are_raised_in_send(message: Any, error: type[Exception]) -> None:
    async def handler(ws: Any) -> None:
        with pytest.raises(error):
            await ws.send(message)
        await ws.send(say("fine"))

    with on_a_socket(wrap(App(handler))) as (client, _):
        assert client.receive() == "fine"
        assert client.closed() == (1000, "")


def test_sending_after_ones_own_close_is_a_mistake() -> None:
    async def handler(ws: Any) -> None:
        await ws.send({"type": "websocket.close"})
        assert (await ws.receive())["type"] == "websocket.disconnect"
        with pytest.raises(AppProtocolError, match="closed"):
            await ws.send(say("late"))

    app = App(handler)
    with on_a_socket(wrap(app)) as (client, _):
        assert client.closed() == (1000, "")
    assert app.ended.wait(BOUND)
    assert app.error is None


# What the server gives


def refused(**environ: Any) -> tuple[str, str]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody should call this app")

    ours, theirs = socket.socketpair()
    with ours, theirs:
        keys = {"werkzeug.socket": theirs, "wsgi.multithread": True, **Client(ours).handshake()}
        peer = fetch(wrap(app), **{**keys, **environ})
    return peer.status[:3], peer.body.decode()


@pytest.mark.parametrize(
    ("environ", "status", "words"),
    [
        ({"werkzeug.socket": None}, "501", "gthread or gevent"),
        ({"wsgi.multithread": False}, "501", "--threads"),
        ({"HTTP_SEC_WEBSOCKET_VERSION": "8"}, "426", "Version"),
        ({"HTTP_SEC_WEBSOCKET_KEY": "short"}, "400", "Key"),
        ({"HTTP_SEC_WEBSOCKET_KEY": None}, "400", "Key"),
    ],
)
def test_what_cannot_become_a_websocket(environ: Any, status: str, words: str) -> None:
    found, body = refused(**environ)
    assert found == status
    assert words in body


def test_without_wsproto_the_answer_names_the_line_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anysgi.adapters._websocket_from_environ", None)
    status, body = refused()
    assert status == "501"
    assert 'pip install "anysgi[websocket]"' in body


@pytest.mark.parametrize(
    "environ",
    [{}, {"HTTP_UPGRADE": "h2c", "HTTP_CONNECTION": "Upgrade"}, {"HTTP_UPGRADE": "websocket"}],
    ids=["no upgrade", "h2c", "no connection"],
)
def test_plain_http_to_a_websocket_route_reaches_the_app_as_such(environ: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 426, "headers": []})
        await send({"type": "http.response.body"})

    assert fetch(wrap(app), **environ).status == "426 Upgrade Required"


class GeventSocketIO(socket.SocketIO):
    """What `wsgi.input` is under gevent.pywsgi for a request that upgrades."""


@pytest.mark.parametrize(("patched", "status"), [(True, "101"), (False, "501")])
def test_gevents_own_server_hides_its_socket_under_the_input(
    patched: bool, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gevent = SimpleNamespace(monkey=SimpleNamespace(is_module_patched=lambda name: patched and name == "threading"))
    monkeypatch.setitem(sys.modules, "gevent", gevent)  # type: ignore[arg-type]
    ours, theirs = socket.socketpair()
    with ours, theirs, theirs.makefile("rb", -1) as reader:
        keys = {"werkzeug.socket": None, "wsgi.input": reader, "SERVER_SOFTWARE": "gevent/26.9 Python/3.11"}
        with on_a_socket(wrap(App(echo)), accept=False, **keys) as (client, call):
            ours.settimeout(BOUND)
            client.sock, unused = ours, client.sock
            if patched:
                assert isinstance(client.next(), events.AcceptConnection)
                client.send("hello")
                assert client.receive() == "hello"
                client.close()
            assert call.status().startswith(status)
            client.sock = unused


def test_frames_that_came_before_the_101_are_not_left_for_the_next_request() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, theirs.makefile("rb", -1) as reader:
        ours.settimeout(BOUND)
        ours.sendall(b"GET /ws HTTP/1.1\r\n" + b"\x81\x82\0\0\0\0hi")
        assert reader.readline() == b"GET /ws HTTP/1.1\r\n"
        with on_a_socket(wrap(App(echo)), accept=False, **{"werkzeug.socket": theirs, "wsgi.input": reader}) as (
            client,
            _,
        ):
            client.sock, unused = ours, client.sock
            assert isinstance(client.next(), events.AcceptConnection)
            assert client.receive() == "hi"
            client.close()
            client.sock = unused
        assert reader.read() == b""


def test_a_socket_with_tls(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    server, client_side = tls_contexts(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        wrapping = pool.submit(server.wrap_socket, theirs, server_side=True)
        secured = client_side.wrap_socket(ours, server_hostname="localhost")
        accepted = wrapping.result(BOUND)
    with secured, accepted, on_a_socket(wrap(App(echo)), False, **{"werkzeug.socket": accepted}) as (client, call):
        client.sock, unused = secured, client.sock
        secured.settimeout(BOUND)
        assert isinstance(client.next(), events.AcceptConnection)
        for message in ("hello", "x" * 1_000_000, b"y" * 100_000):
            client.send(message)
            assert client.receive() == message
        client.close(4000)
        assert client.closed()[0] == 4000
        assert call.status().startswith("101")
        with pytest.raises(BrokenPipeError):
            accepted.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        client.sock = unused


def test_the_servers_socket_is_hung_up_and_given_back_as_it_was() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(7)
        with on_a_socket(wrap(App(echo)), accept=False, **{"gunicorn.socket": theirs}) as (client, call):
            client.sock, unused = ours, client.sock
            ours.settimeout(BOUND)
            assert isinstance(client.next(), events.AcceptConnection)
            client.close()
            assert call.status().startswith("101")
            client.sock = unused
        assert theirs.gettimeout() == 7
        with pytest.raises(BrokenPipeError):
            theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        assert theirs.recv(1) == b""


# The end of the server


def test_closing_the_adapter_closes_its_websockets_with_1001() -> None:
    app = App(echo)
    adapter = wrap(app)
    with on_a_socket(adapter) as (client, call):
        client.send("hello")
        assert client.receive() == "hello"
        closing = threading.Thread(target=adapter.close)
        closing.start()
        assert client.closed() == (1001, "")
        closing.join(BOUND)
        assert call.status().startswith("101")
    assert app.ended.is_set()


def test_an_app_that_is_cancelled_lets_go_of_the_socket() -> None:
    async def handler(ws: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_later(0.01, task.cancel)
        await asyncio.Event().wait()

    with on_a_socket(wrap(App(handler))) as (client, call):
        assert call.status().startswith("5")
        assert client.next() is None


def test_a_client_that_is_gone_before_the_101_is_told_to_the_app() -> None:
    gone = threading.Event()

    async def handler(ws: Any) -> None:
        assert await asyncio.to_thread(gone.wait, BOUND)
        with pytest.raises(ClientDisconnected):
            await ws.send({"type": "websocket.accept"})

    app = App(handler, accept=False)
    with on_a_socket(wrap(app), accept=False) as (client, call):
        client.sock.close()
        gone.set()
        assert call.status().startswith("101")
    assert app.ended.wait(BOUND)
    assert app.error is None


def test_closing_the_adapter_denies_what_was_not_accepted_yet() -> None:
    started = threading.Event()

    async def handler(ws: Any) -> None:
        started.set()
        assert (await ws.receive())["type"] == "websocket.disconnect"
        with pytest.raises(ClientDisconnected):
            await ws.send({"type": "websocket.accept"})

    app = App(handler, accept=False)
    adapter = wrap(app)
    with on_a_socket(adapter, accept=False) as (_, call):
        assert started.wait(BOUND)
        adapter.close()
        assert call.status().startswith("503")
    assert app.error is None


def test_the_timeout_of_responses_is_not_for_websockets() -> None:
    app = App(echo)
    with on_a_socket(wrap(app, timeout=0.05)) as (client, call):
        eventually(lambda: False, 0.2)
        assert call.is_alive()
        client.send("still here")
        assert client.receive() == "still here"
        client.close()


@pytest.mark.parametrize("leaves", ["closes", "vanishes"])
def test_an_app_that_ends_as_its_send_told_it_to_is_no_failure(leaves: str, caplog: pytest.LogCaptureFixture) -> None:
    async def push(ws: Any) -> None:
        while True:
            await ws.send(say("news"))
            await asyncio.sleep(0)

    app = App(push)
    with caplog.at_level(logging.INFO, "anysgi"), wrap(app) as adapter, on_a_socket(adapter) as (client, call):
        assert client.receive() == "news"
        if leaves == "closes":
            client.close()
        client.sock.close()
        assert app.ended.wait(BOUND)
        call.status()
    assert isinstance(app.error, ClientDisconnected)
    assert caplog.text + call.peer.errors == ""


def test_an_app_that_has_to_be_cancelled_after_its_client_left_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def wait(ws: Any) -> None:
        await asyncio.Event().wait()

    app = App(wait)
    with (
        caplog.at_level(logging.INFO, "anysgi"),
        wrap(app, grace=0.05) as adapter,
        on_a_socket(adapter) as (client, call),
    ):
        client.close()
        assert app.ended.wait(BOUND)
        call.status()
    assert isinstance(app.error, asyncio.CancelledError)
    assert caplog.text + call.peer.errors == ""


def test_what_is_logged_is_nobodys_failure(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "anysgi"), on_a_socket(wrap(App(echo))) as (client, call):
        client.close()
        assert call.status().startswith("101")
    assert caplog.text == ""
    assert isinstance(call.environ.get("wsgi.errors", io.StringIO()), io.StringIO)
