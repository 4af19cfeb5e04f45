"""An HTTP response instead of a WebSocket (ASGI spec, the extension "Websocket Denial Response")."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._core._refusals import Refusal
    from ..types import Message, Scope, Send


async def deny(scope: Scope, send: Send, message: Message) -> None:
    """Send one message of the response: as it is where the server can, else as a close, which servers make a 403."""
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await send({**message, "type": f"websocket.{message['type']}"})
    elif message["type"] == "http.response.start":
        await send({"type": "websocket.close", "code": 1000})


async def deny_with(scope: Scope, send: Send, refusal: Refusal) -> None:
    """Send a whole refusal."""
    for message in refusal.messages:
        await deny(scope, send, message)
