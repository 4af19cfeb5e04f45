"""One WebSocket to an ASGI app, and the client's side of it.

              accept           close, or the client's
CONNECTING ──────────> OPEN ────────────────────────> CLOSED
    ├── close ──────────────────────────────────────> CLOSED     the handshake is answered 403
    └── http.response.start ──> DENYING ── last body ─> CLOSED     ... or with a response of the app's own

Sources: ASGI spec, "WebSocket" and "WebSocket Denial Response"; RFC 6455.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import anyio

from ...exceptions import AppProtocolError, ClientDisconnected
from .._app_task import AppTask
from .._within import Within
from ._websocket_errors import closed_by

if TYPE_CHECKING:
    from ...types import ASGIApp, Message

CONNECTING, OPEN, DENYING, CLOSED, LEFT = "CONNECTING", "OPEN", "DENYING", "CLOSED", "LEFT"

_NEXT = {
    (CONNECTING, "websocket.accept"): OPEN,
    (CONNECTING, "websocket.close"): CLOSED,
    (CONNECTING, "websocket.http.response.start"): DENYING,
    (DENYING, "websocket.http.response.body"): DENYING,
    (OPEN, "websocket.send"): OPEN,
    (OPEN, "websocket.close"): CLOSED,
}


class WebSocketCall:
    """The app in its own task, and the wire to it.

    Args:
        app: the ASGI app.
        scope: the handshake.
        timeout: seconds any wait of the client's may take; None for ever.

    Attributes:
        extensions: of the response to the handshake; `"anysgi.websocket"` is this call.
        accepted: the app's accept.
        closed: the app's close.
        timeout: as given.
    """

    def __init__(self, app: ASGIApp, scope: dict[str, Any], timeout: float | None) -> None:
        self._app, self._scope, self.timeout = app, scope, timeout
        self._state = CONNECTING
        self._to_app, self._for_app = anyio.create_memory_object_stream[dict[str, Any]](math.inf)
        self._put, self._take = anyio.create_memory_object_stream[dict[str, Any]](math.inf)
        self._goodbye: dict[str, Any] = {}
        self._denies = False
        self.accepted: dict[str, Any] = {}
        self.closed: dict[str, Any] = {}
        self.extensions: dict[str, Any] = {"anysgi.websocket": self}
        self._to_app.send_nowait({"type": "websocket.connect"})
        self._task = AppTask(self._run, self.messages, timeout)

    async def _run(self) -> None:
        with self._put:  # the client reads to the end of it
            await self._app(self._scope, self._receive, self._send)

    def so_far(self) -> str:
        """How far it came, and where the app stands, for people."""
        return f"{self.messages()} It stood at {self._task.stands_at()}"

    def messages(self) -> str:
        """How far it came, for people."""
        return f"The WebSocket is {self._state}."

    # The app's side

    async def _receive(self) -> dict[str, Any]:
        try:
            return await self._for_app.receive()
        except anyio.EndOfStream:
            return self._goodbye

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if self._state is LEFT:
            raise ClientDisconnected("the client closed the WebSocket")
        state = _NEXT.get((self._state, kind))
        if state is None:
            raise AppProtocolError(f"{kind!r} cannot be sent while the WebSocket is {self._state}")
        last = kind == "websocket.http.response.body" and not message.get("more_body")
        self._state = CLOSED if last else state
        if kind == "websocket.close":
            self._hang_up(message.get("code", 1000), message.get("reason") or "")
        await self._put.send(dict(message))

    def _hang_up(self, code: int, reason: str) -> None:
        """The connection is over: whoever in the app still receives is told so."""
        self._goodbye = {"type": "websocket.disconnect", "code": code, "reason": reason}
        self._to_app.close()

    # The client's side: the handshake as an HTTP response

    async def head(self, timeout: float | None) -> tuple[int, list[tuple[bytes, bytes]]]:
        """101 once the app has accepted, 403 or a response of its own if it will not."""
        message = await self.next()
        kind = message["type"]
        if kind == "websocket.accept":
            self.accepted = message
            chosen = message.get("subprotocol")
            protocol = [(b"sec-websocket-protocol", chosen.encode())] if chosen else []
            return 101, [(b"upgrade", b"websocket"), (b"connection", b"Upgrade"), *protocol, *_headers(message)]
        if kind == "websocket.close":
            self.closed = message
            return 403, []
        self._denies = True
        return message["status"], _headers(message)

    async def chunks(self, timeout: float | None, silent: bool = False) -> AsyncIterator[bytes]:
        """The body of a denial."""
        while self._denies:
            message = await self.next()
            self._denies = bool(message.get("more_body"))
            yield bytes(message.get("body", b""))

    # The client's side: messages

    def say(self, message: dict[str, Any]) -> None:
        """Hand the app an event."""
        if self._state is not OPEN:
            raise closed_by(self.closed or self._goodbye)
        self._to_app.send_nowait(message)

    async def next(self) -> dict[str, Any]:
        """The app's next message.

        Raises:
            TimeoutError: it took too long.
            Exception: what the app raised.
        """
        try:
            with Within(self._task, self.timeout):
                return await self._take.receive()
        except TimeoutError:
            raise TimeoutError(f"the app said nothing within {self.timeout} s\n{self.so_far()}") from None
        except anyio.EndOfStream:
            pass
        await self._task.ends(self.timeout)
        self._task.raise_error()
        raise AppProtocolError(f"the app returned while the WebSocket was {self._state}; send 'websocket.close' first")

    def leave(self, code: int, reason: str) -> None:
        """The client closes."""
        if self._state in (CONNECTING, OPEN, DENYING):
            self._state = LEFT
            self._hang_up(code, reason)

    async def finish(self) -> None:
        """Leave, wait for the app to end, and raise what it raised, unless that is our own `ClientDisconnected`."""
        self.leave(1000, "")
        await self._task.stop()
        if not _ours(self._task.error):
            self._task.raise_error()

    async def close(self) -> None:
        """The response to the handshake is closed: an app that has not ended is cancelled."""
        self.leave(1006, "")
        try:
            await self._task.stop()
        finally:  # the caller may be cancelled itself
            for stream in (self._to_app, self._for_app, self._take):
                stream.close()


def _ours(error: BaseException | None) -> bool:
    """Whether an app failed only because its client had left: servers let that pass (spec, "Disconnected Client")."""
    while error is not None and not isinstance(error, ClientDisconnected):
        error = error.__cause__ or error.__context__
    return error is not None


def _headers(message: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
