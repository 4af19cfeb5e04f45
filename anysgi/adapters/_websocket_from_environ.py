"""An ASGI app's WebSocket on the socket that a WSGI server put into the environ.

    connecting ──accept──> open ──both have closed, or one is gone──> over
        └──a denial, an error──> an ordinary response

To the WSGI server all of this is one request, and so it is to everything around here: an exchange whose answer is 101,
given when the WebSocket is over.  The socket is hung up by then, so that answer gets no further than the server's log.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .._bridge._socket_stream import SocketStream
from .._bridge._websocket_pump import WebSocketPump
from .._core._asgi_messages import SWITCHED
from .._core._headers import headers_from_environ
from .._core._websocket_frames import ABNORMAL, WebSocketFrames
from .._core._websocket_handshake import ServerHandshake
from .._core._websocket_messages import CLOSED, OPEN, Accept, Close, Data, Denial, WebSocketMessages
from .._core._websocket_scope import websocket_scope
from ..exceptions import ClientDisconnected
from ._asgi_exchange import AsgiExchange
from ._asgi_receive import gone
from ._websocket_inbox import Inbox
from ._websocket_sockets import early_bytes, socket_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    from .._bridge._port import Task, Timer
    from ..types import ASGIApp, Environ, Message, Receive, Scope, Send
    from ._runtime import Runtime

_DONE, _GOING_AWAY, _CRASHED = Close(1000, ""), Close(1001, ""), Close(1011, "")  # RFC 6455 section 7.4.1


class Upgrade:
    """A request that may become a WebSocket.

    Args:
        environ: the request.
        max_message_size: bytes.
        ping_interval: seconds; None for no pings.

    Raises:
        BadRequest: it is no proper handshake (400, 426), or the server cannot carry WebSockets (501).
    """

    __slots__ = ("handshake", "max_message_size", "ping_interval", "socket")

    def __init__(self, environ: Environ, max_message_size: int, ping_interval: float | None) -> None:
        self.handshake = ServerHandshake(headers_from_environ(environ))
        self.socket = socket_of(environ)
        self.max_message_size = max_message_size
        self.ping_interval = ping_interval

    def exchange(
        self, runtime: Runtime, app: ASGIApp, scope: Scope, context: Context, window: int, grace: float
    ) -> WebSocketExchange:
        return WebSocketExchange(runtime, app, scope, context, window, grace, self)


class WebSocketExchange(AsgiExchange):
    """One WebSocket.

    Args:
        runtime, app, scope, context, window, grace: as for any exchange.
        upgrade: what makes this request a special one.
    """

    __slots__ = (
        "_conversation",
        "_greeted",
        "_inbox",
        "_leaving",
        "_pump",
        "_reading",
        "_steps",
        "_stream",
        "_timers",
        "_upgrade",
    )

    endless = True

    def __init__(
        self,
        runtime: Runtime,
        app: ASGIApp,
        scope: Scope,
        context: Context,
        window: int,
        grace: float,
        upgrade: Upgrade,
    ) -> None:
        super().__init__(runtime, self._converse, scope, context, window, grace, has_body=False)
        self.scope = websocket_scope(scope)
        self._conversation = app
        self._upgrade = upgrade
        self._steps = WebSocketMessages(self.scope["subprotocols"])
        self._greeted = False
        self._inbox = Inbox(runtime.port, window)
        self._timers: list[Timer] = []
        self._pump: WebSocketPump | None = None

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the exchange takes for its app."""
        try:
            await self._conversation(scope, receive, send)
        except Exception as error:
            told = self._pump is not None and isinstance(error, ClientDisconnected)  # by `send`: nobody's failure
            await self._finish(_DONE if told else _CRASHED)
            if not told:
                raise
        else:
            await self._finish(_DONE)
        finally:
            if self._pump is not None and self._inbox.end is None:  # cancelled: the socket is still ours
                self._reading.cancel()
                self._stream.hang_up()
            del self._app  # it would hold the exchange, and the exchange it

    async def _finish(self, close: Close) -> None:
        """The app is through: close what it left open, and wait until the socket is over."""
        if self._pump is not None:
            await self._close(close)
            await self._runtime.port.join(self._reading)

    # What the app is given

    async def receive(self) -> Message:
        """The app's `receive` (ASGI spec, "Connect", "Receive" and "Disconnect"); cancelling it loses nothing."""
        if not self._greeted:
            self._greeted = True
            return {"type": "websocket.connect"}
        item = await self._inbox.take()
        if isinstance(item, Close):
            return {"type": "websocket.disconnect", "code": item.code, "reason": item.reason}
        return {"type": "websocket.receive", "text" if isinstance(item, str) else "bytes": item}

    async def send(self, message: Message) -> None:
        """The app's `send` (ASGI spec, "Accept", "Send", "Close", and the extension "Websocket Denial Response").

        Raises:
            ClientDisconnected: the client closed, or is gone; an `OSError`, as spec version 2.4 asks.
            AppProtocolError: the message is wrong, or out of turn.
        """
        if self._inbox.end is not None and self._steps.state is not CLOSED:
            raise gone()
        match self._steps.accept(message):
            case Data(payload) if self._pump is not None:
                await self._pump.send(payload)
            case Accept() as accept:
                await self._open(accept)
            case Close() as close:
                await self._close(close)
            case Denial(answer):
                await super().send(answer)

    # The socket

    async def _open(self, accept: Accept) -> None:
        port, upgrade = self._runtime.port, self._upgrade
        answer, connection = upgrade.handshake.accept(accept)
        self._stream = stream = SocketStream(port, upgrade.socket)
        frames = WebSocketFrames(connection, upgrade.max_message_size)
        self._pump = WebSocketPump(port, stream, frames, self._inbox.put, self._grace)
        self._reading = port.spawn(self._read(accept))
        self._ping_later()
        try:
            await stream.write(answer)
        except OSError:
            raise gone() from None

    async def _read(self, accept: Accept) -> None:
        assert self._pump is not None
        try:
            await self._pump.run(early_bytes(self.scope["wsgi.environ"]["wsgi.input"]))
        finally:
            self._inbox.finish(self._pump.end)
            self._stream.hang_up()
            for timer in self._timers:
                timer.cancel()
            if self._steps.state is OPEN:
                self._cancel_soon()
            if not self.down.broken:
                await super().send({"type": "http.response.start", "status": SWITCHED, "headers": accept.headers})
                await super().send({"type": "http.response.body"})

    def _cancel_soon(self) -> None:
        """The client left: the app has `grace` seconds to end.  One that closed by itself may go on in peace."""
        task = self.task
        if task is not None and not task.done():
            timer = self._runtime.port.after(self._grace, partial(self._cancel, task))
            task.add_done_callback(lambda _: timer.cancel())

    def _cancel(self, task: Task) -> None:
        self.down.break_(gone)  # so that its end is no failure
        task.cancel()

    async def _close(self, close: Close) -> None:
        """Say that it is over: to a client that was accepted with a Close, which it has `grace` seconds to answer."""
        pump = self._pump
        if pump is None:
            await super().send({"type": "http.response.start", "status": 403})
            await super().send({"type": "http.response.body"})
            return
        self._timers.append(self._runtime.port.after(self._grace, self._reading.cancel))
        self._inbox.shut()
        await pump.close(close)

    def hang_up(self, reason: Callable[[], ClientDisconnected] = gone) -> None:
        """Nobody waits for the end of the request any more: an open WebSocket is closed first."""
        if self._pump is None:
            self._inbox.finish(Close(ABNORMAL, ""))
            super().hang_up(reason)
        elif self._inbox.end is None:
            self._leaving = self._runtime.port.spawn(self._close(_GOING_AWAY))

    def _ping_later(self, reads: int = -1) -> None:
        """Ping now and then.

        Args:
            reads: how often something had come from the client when it was pinged last.
        """
        interval = self._upgrade.ping_interval
        if interval is not None:
            self._timers[:1] = [self._runtime.port.after(interval, partial(self._ping, reads))]

    def _ping(self, reads: int) -> None:
        pump = self._pump
        assert pump is not None
        if pump.reads == reads and not pump.delivering:  # not even a pong
            self._reading.cancel()
        else:
            pump.ping()
            self._ping_later(pump.reads)
