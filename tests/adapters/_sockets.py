"""WebSockets from both outsides: a scripted ASGI server that has one, and a client on a WSGI server's socket."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from simple_websocket import ConnectionClosed, Server
from wsproto import ConnectionType, WSConnection, events

from tests.conftest import BOUND

from ._calling import WsgiPeer
from ._driving import AsgiPeer, comes_true, http_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from anysgi import AsgiToWsgi, WsgiToAsgi

    from ._driving import Message

CONNECT: Message = {"type": "websocket.connect"}
DENIALS = {"websocket.http.response": {}}


def text(content: str) -> Message:
    return {"type": "websocket.receive", "text": content}


def disconnect(code: int = 1005, reason: str = "") -> Message:
    return {"type": "websocket.disconnect", "code": code, "reason": reason}


# A WSGI app on an ASGI server


class WebSocketPeer(AsgiPeer):
    """An ASGI server's side of one WebSocket; the messages come once it is accepted."""

    def __init__(self, *messages: Message, **more: Any) -> None:
        super().__init__(CONNECT, **more)
        self._messages = messages

    async def send(self, message: Message) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.push(*self._messages)

    def leave_with(self, message: Message) -> None:
        """Disconnect, in the words of a WebSocket."""
        self.push(message)

    def kinds(self) -> list[str]:
        return [message["type"].removeprefix("websocket.") for message in self.sent]

    def of(self, kind: str) -> list[Message]:
        """What was sent of one kind."""
        return [message for message in self.sent if message["type"] == f"websocket.{kind}"]

    async def until(self, kind: str, number: int = 1) -> list[Message]:
        """Wait for messages of one kind, and return all of them."""
        await comes_true(lambda: len(self.of(kind)) >= number)
        return self.of(kind)


def websocket_request(**more: Any) -> Message:
    scope = http_scope(**{"scheme": "ws", "path": "/ws", "subprotocols": [], **more})
    del scope["method"]
    return {**scope, "type": "websocket"}


@asynccontextmanager
async def open_websocket(
    app: WsgiToAsgi, peer: WebSocketPeer, *, cancelled: bool = False, **scope: Any
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve one WebSocket beside the block; it must be over, within the bound, once the block is."""
    peer.loop = asyncio.get_running_loop()
    task = asyncio.create_task(app(websocket_request(**scope), peer.receive, peer.send))  # type: ignore[arg-type]
    try:
        yield task
        await asyncio.wait([task], timeout=BOUND)
        assert task.done()
        if not cancelled:
            task.result()
    finally:
        task.cancel()


class App:
    """A WSGI app around a handler that is given a simple-websocket `Server`; it answers with garbage afterwards.

    Attributes:
        closed: how the client closed, as the handler was told.
        ended: set once the handler has.
        environ: of the request.
    """

    def __init__(self, handler: Callable[[Any], object], status: str = "200 OK", **options: Any) -> None:
        self._handler, self._status, self._options = handler, status, options
        self.closed: ConnectionClosed | None = None
        self.ended = threading.Event()
        self.environ: dict[str, Any] = {}

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.environ = environ
        try:
            self._handler(Server.accept(environ, **self._options))
        except ConnectionClosed as closed:
            self.closed = closed
        finally:
            self.ended.set()
        start_response(self._status, [("Content-Type", "text/plain")])
        return [b"this is nobody's business"]


def echo(ws: Any) -> None:
    while True:
        ws.send(ws.receive())


# An ASGI app on a WSGI server


class Client:
    """A client on the other end of the server's socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(BOUND)
        self.ws = WSConnection(ConnectionType.CLIENT)
        self.request = self.ws.send(events.Request(host="testserver", target="/ws"))

    def handshake(self) -> dict[str, str]:
        """The keys of an environ that ask for this client's WebSocket."""
        lines = self.request.decode().split("\r\n")[1:-2]
        fields = dict(line.split(": ", 1) for line in lines)
        return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}

    def send(self, payload: str | bytes) -> None:
        kind = events.TextMessage if isinstance(payload, str) else events.BytesMessage
        self.sock.sendall(self.ws.send(kind(payload)))  # type: ignore[arg-type]

    def send_until_full(self, payload: bytes) -> int:
        """Send one message again and again, until nobody reads any more; how often it went out whole."""
        self.sock.settimeout(0.2)
        sent = 0
        try:
            while True:
                self.send(payload)
                sent += 1
        except TimeoutError:
            return sent

    def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.sock.sendall(self.ws.send(events.CloseConnection(code, reason)))

    def next(self) -> Any:
        """The next event; None at the end of the stream.  Pings are answered, fragments are not put together."""
        while True:
            for event in self.ws.events():
                if isinstance(event, events.Ping):
                    self.sock.sendall(self.ws.send(event.response()))
                return event
            data = self.sock.recv(65_536)
            if not data:
                return None
            self.ws.receive_data(data)

    def receive(self) -> str | bytes:
        """The next message, put together."""
        parts = []
        while True:
            event = self.next()
            parts.append(event.data)
            if event.message_finished:
                return type(parts[0])().join(parts)

    def closed(self) -> tuple[int, str | None]:
        """The server's Close, answered if it came first."""
        event = self.next()
        assert isinstance(event, events.CloseConnection), event
        try:
            self.sock.sendall(self.ws.send(event.response()))
        except Exception:  # ours came first
            pass
        return event.code, event.reason


class Call(threading.Thread):
    """A request on a thread of a WSGI server.

    Attributes:
        peer: what became of it, or `error`.
    """

    def __init__(self, app: AsgiToWsgi, environ: Any) -> None:
        super().__init__(daemon=True)
        self._app, self.environ = app, environ
        self.peer: WsgiPeer | None = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.peer = WsgiPeer(self._app, **self.environ)
            self.peer.finish()
        except BaseException as error:
            self.error = error

    def status(self) -> str:
        """Wait until the request is over; the status of the answer."""
        self.join(BOUND)
        assert not self.is_alive(), "the server's thread still waits"
        if self.error is not None:
            raise self.error
        assert self.peer is not None
        return self.peer.status


@contextmanager
def on_a_socket(app: AsgiToWsgi, accept: bool = True, **environ: Any) -> Iterator[tuple[Client, Call]]:
    """Have a server's thread call the app for a WebSocket, and be its client."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = Client(ours)
        keys = {"werkzeug.socket": theirs, "wsgi.multithread": True, **client.handshake()}
        call = Call(app, {**keys, **environ, "path": "/ws"})
        if accept:
            event = client.next()
            assert isinstance(event, events.AcceptConnection), event
        yield client, call
        call.join(BOUND)
        assert not call.is_alive(), "the server's thread still waits"
