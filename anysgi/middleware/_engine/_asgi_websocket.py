"""One WebSocket under ASGI, for layers declared with `websocket=True`.

    BEFORE      `websocket.accept` is the head, with status 101; `websocket.close` and `websocket.http.response.start`
                are a denial's; the layers get it
    FLOWING     messages pass; the app's close, or its return, is the end
    REPLACED    refused, as if the client had left

A denial has a status where the server has the `websocket.http.response` extension; elsewhere it is a close, which
servers turn into 403.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._asgi_exchange import BEFORE, FLOWING, REPLACED, AsgiExchange
from ._framing import set_length
from ._response import AsgiResponse, Response, asgi_response

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ...types import ASGIApp, Message, Receive, Send
    from ._asgi_request import AsgiRequest

ACCEPT, CLOSE = "websocket.accept", "websocket.close"
DENY, DENY_BODY = "websocket.http.response.start", "websocket.http.response.body"
_STATUSES = {ACCEPT: 101, CLOSE: 403}


class HandshakeResponse(AsgiResponse):
    """Over what an app answers a handshake with; only a denial with a head of its own can change its status."""

    __slots__ = ()

    def _native_status(self) -> int:
        return _STATUSES.get(self._message["type"]) or super()._native_status()

    def start_message(self) -> Message:
        message = super().start_message()
        left_out = {ACCEPT: ("status",), CLOSE: ("status", "headers")}.get(message["type"], ())
        return {key: value for key, value in message.items() if key not in left_out}


class WebsocketExchange(AsgiExchange):
    """One WebSocket."""

    __slots__ = ("_connected",)

    _connected: bool  # the app, or we, took `websocket.connect`

    def open(self, request: AsgiRequest, receive: Receive, send: Send) -> None:
        super().open(request, receive, send)
        self._connected = False

    def run(self, app: ASGIApp) -> Awaitable[None]:
        return app(self.request.hand_on(), self._received, self._sent if self.waiting else self._send)

    @property
    def _is_open(self) -> bool:
        return self.state is FLOWING and isinstance(self.result, Response) and self.result.status == 101

    async def _received(self) -> Message:
        message = await self._receive()
        self._connected = True
        return message

    async def _sent(self, message: Message) -> None:
        """What the app sends to."""
        kind = message["type"]
        if self.state is REPLACED:
            raise self._refusal()
        if self.state is BEFORE and kind in (ACCEPT, CLOSE, DENY):
            message = await self._settle(asgi_response(message, HandshakeResponse))
        await self._deliver(message)
        self.sent += _size(message)
        if kind == CLOSE or (kind == DENY_BODY and not message.get("more_body")):
            await self.afinish("complete")

    async def _settle(self, own: AsgiResponse) -> Message:
        """Hand the head to the layers, and return what they made of it."""
        self.result = own
        for call in self.unwind():
            await call.amake()
        if self.result is not own:
            await self._replace_response()
        self.state = FLOWING
        self.forwarded()
        return own.start_message()

    async def _conclude(self) -> None:
        if self._is_open:  # the client closed, or the server will
            await self.afinish("complete")
        await super()._conclude()

    async def _respond(self, response: Response) -> None:
        """Deny the handshake."""
        if not self._connected:
            await self._receive()
        if DENY.removesuffix(".start") not in (self.request.current.get("extensions") or {}):
            await self._send({"type": CLOSE, "code": 1000})
            return
        body = response.body.whole or b""
        set_length(response, len(body), silent=False)
        await self._send({**response.start_message(), "type": DENY})
        self.forwarded()
        await self._send({"type": DENY_BODY, "body": body})


def _size(message: Message) -> int:
    """Bytes of payload in a message."""
    text: str | None = message.get("text")
    return len(text.encode()) if text is not None else len(message.get("bytes") or message.get("body") or b"")
