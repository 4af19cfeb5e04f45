"""A WSGI app's WebSocket on an ASGI server: the app gets one end of a socket pair, and we speak RFC 6455 on the other.

    the app writes a 101 on its socket  ──> accepted: frames on one side, ASGI messages on the other
    the app responds without it         ──> the response denies the WebSocket

The app's call is an exchange like any other.  When it responds, or fails, its end of the pair is hung up: whoever reads
ours gets what the app wrote, then the end, and knows which of the two it was.
"""

from __future__ import annotations

import logging
from functools import partial
from socket import SHUT_RDWR
from typing import TYPE_CHECKING

from .._bridge._socket_pair import socket_pair
from .._bridge._websocket_pump import WebSocketPump
from .._core._websocket_frames import ABNORMAL, NO_STATUS, WebSocketFrames
from .._core._websocket_handshake import AppHandshake
from .._core._websocket_messages import Accept, Close, may_be_sent
from .._core._websocket_scope import websocket_environ
from ..exceptions import AppProtocolError, ClientDisconnected
from ._websocket_denial import deny
from ._wsgi_exchange import WsgiExchange

if TYPE_CHECKING:
    from typing import Any

    from .._bridge._port import Port, Timer
    from ..types import Message, Receive, Scope, Send
    from ._wsgi_to_asgi import WsgiToAsgi

log = logging.getLogger("anysgi")

_gone = partial(ClientDisconnected, "the client closed the WebSocket")


class WsgiWebSocket:
    """One WebSocket.

    Args:
        adapter: whose app, pool and limits these are.
        port: the loop.
        scope, receive, send: the server's; `websocket.connect` was received.
        state: for the app.

    Raises:
        BadRequest: the request's headers contradict themselves.
    """

    __slots__ = (
        "_ending",
        "_exchange",
        "_grace",
        "_handshake",
        "_left",
        "_listening",
        "_max_size",
        "_port",
        "_pump",
        "_receive",
        "_refused",
        "_scope",
        "_send",
        "_status",
        "_stream",
        "_talking",
        "_theirs",
        "_timers",
    )

    def __init__(
        self, adapter: WsgiToAsgi, port: Port, scope: Scope, receive: Receive, send: Send, state: dict[str, Any]
    ) -> None:
        self._port = port
        self._scope = scope
        self._receive = receive
        self._send = send
        self._grace = adapter.grace
        self._max_size = adapter.max_message_size
        self._handshake = AppHandshake(scope.get("subprotocols") or ())
        environ = websocket_environ(
            scope, self._handshake.key, underscores=adapter.underscore_headers, multiprocess=adapter.multiprocess
        )
        self._stream, self._theirs = socket_pair(port)
        environ["werkzeug.socket"] = self._theirs
        environ["anysgi.state"] = state
        self._exchange = WsgiExchange(adapter, port, environ, self._no_body, self._respond, False, timeout=None)
        self._pump: WebSocketPump | None = None
        self._left: Close | None = None  # what the client closed with
        self._timers: list[Timer] = []
        self._refused: Exception | None = None  # what the server made of a message
        self._status = 500  # of the app's response; until there is one, it may still fail

    async def run(self) -> None:
        """Serve the WebSocket to its end.

        Raises:
            Exception: what the app raised, what `send` raised.
        """
        port = self._port
        self._talking = port.spawn(self._talk())
        self._listening = port.spawn(self._listen())
        try:
            await self._exchange.run()
        except AppProtocolError:
            self._hang_up_theirs()
            await port.join(self._talking)
            if self._pump is None:
                raise
            log.debug("the app's response, which comes after its WebSocket and goes nowhere, is none", exc_info=True)
        except OSError:  # a write on the socket, as its other end was closed
            if self._left is None:
                raise
            log.debug("the app failed as its client was gone", exc_info=True)
        except port.Cancelled:
            self._talking.cancel()
            raise
        finally:
            # A task of its own: a scope of anyio or trio that was cancelled cancels every wait in it.
            self._ending = port.spawn(self._end())
            await port.join(self._ending)
        if self._refused is not None:
            raise self._refused

    async def _end(self) -> None:
        """Let what is under way come to its end, and give the sockets back."""
        self._hang_up_theirs()
        await self._port.join(self._talking)
        await self._port.stop(self._listening)
        for timer in self._timers:
            timer.cancel()
        self._stream.close()
        self._theirs.close()

    def _hang_up_theirs(self) -> None:
        """The app's call is over; what it wrote can still be read."""
        try:
            self._theirs.shutdown(SHUT_RDWR)
        except OSError:  # the app closed it
            pass

    async def _no_body(self) -> Message:
        """The `receive` of the app's call."""
        return {"type": "http.request", "body": b""}

    async def _respond(self, message: Message) -> None:
        """The `send` of the app's call: a denial, unless the app has answered on its socket."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._hang_up_theirs()
            await self._port.join(self._talking)
        if self._pump is None and self._left is None:
            await deny(self._scope, self._send, message)

    # From the app to the client

    async def _talk(self) -> None:
        accept = await self._answer()
        if accept is None:
            return
        frames = WebSocketFrames(self._handshake.connection, self._max_size)
        self._pump = pump = WebSocketPump(self._port, self._stream, frames, self._to_client, self._grace)
        try:
            await self._send(_message("accept", subprotocol=accept.subprotocol, headers=accept.headers))
            await pump.run(self._handshake.early)
            await self._port.stop(self._listening)  # granian swallows a close while a receive() waits
            if self._left is None:
                close = self._close_of(pump)
                await self._send(_message("close", code=close.code, reason=close.reason))
        except (OSError, RuntimeError) as error:
            log.debug("the client of a WebSocket is gone: %r", error)
            self._left = self._left or Close(ABNORMAL, "")
        except Exception as error:
            self._refused = error
        self._stream.end()
        await pump.drain()

    async def _answer(self) -> Accept | None:
        """Read the app's handshake; None if it ended without."""
        try:
            while data := await self._stream.read():
                accept = self._handshake.receive(data)
                if accept is not None:
                    return accept
        except AppProtocolError:
            log.exception("the WebSocket is refused")
        except OSError:
            pass
        return None

    async def _to_client(self, payload: str | bytes) -> None:
        try:
            await self._send({"type": "websocket.send", "text" if isinstance(payload, str) else "bytes": payload})
        except (OSError, RuntimeError) as error:  # RuntimeError is uvicorn's way of saying that the client has closed
            self._left = self._left or Close(ABNORMAL, "")
            raise _gone() from error

    def _close_of(self, pump: WebSocketPump) -> Close:
        """What the client is told: the app's Close, or how its call went if it left without one."""
        if pump.failed:
            log.error("the app broke RFC 6455 on its socket: %d %s", *pump.end)
            return Close(1011, "")
        if pump.end.code == ABNORMAL:
            return Close(1011 if self._status >= 500 else 1000, "")
        return Close(1000, "") if pump.end.code == NO_STATUS else pump.end

    # From the client to the app

    async def _listen(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            payload = message.get("bytes")
            if self._pump is not None:
                try:
                    await self._pump.send(message["text"] if payload is None else payload)
                except ClientDisconnected:  # the app has closed, and the client does not know it yet
                    pass
        self._left = Close(message.get("code") or NO_STATUS, message.get("reason") or "")
        self._exchange.abandon(_gone)
        self._timers.append(self._port.after(self._grace, self._talking.cancel))
        if self._pump is not None and (self._left.code == NO_STATUS or may_be_sent(self._left.code)):
            await self._pump.close(self._left)
        else:
            self._stream.end()


def _message(kind: str, **fields: object) -> Message:
    return {"type": f"websocket.{kind}", **{key: value for key, value in fields.items() if value is not None}}
