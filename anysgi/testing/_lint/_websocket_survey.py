"""WebSockets in a survey: a handshake for each path, and where it is accepted, clients that talk, close and vanish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from .._requests import habits_of, websocket_scope_of
from .._scenario import Scenario
from .._transports._websocket_call import WebSocketCall
from ._survey_servers import RAISED

if TYPE_CHECKING:
    from ._asgi import LintASGI

_HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}
_REPLY = 0.2  # seconds a client waits for an answer before it goes on
_VANISHES = 1006  # what a server says of a client that sent no close (RFC 6455 section 7.4.1)

HANDSHAKE = "websocket"
TALKS: dict[str, tuple[list[dict[str, Any]], int]] = {
    "websocket, text": ([{"text": "hello"}], 1000),
    "websocket, bytes": ([{"bytes": b"hello"}], 1001),
    "websocket, empty messages": ([{"text": ""}, {"bytes": b""}], 1005),
    "websocket, both keys": ([{"text": "hello", "bytes": None}], 1000),
    "websocket, client vanishes": ([], _VANISHES),
}
"""What the client of an accepted WebSocket says, and the code it leaves with."""


async def talk(
    lint: LintASGI, path: bytes, says: list[dict[str, Any]], code: int, bound: float, state: dict[str, Any] | None
) -> bool:
    """Open a WebSocket, say something, and leave; whether the app accepted.

    What the app raises is no finding: apps without WebSockets raise, as the spec asks for.
    """
    scenario = Scenario("GET", path, _HANDSHAKE)
    scope = websocket_scope_of(scenario, habits_of(scenario, "asgi"))
    call = WebSocketCall(lint, scope if state is None else {**scope, "state": dict(state)}, bound)
    try:
        await call.head(bound)
        for message in says if call.accepted else ():
            call.say({"type": "websocket.receive", **message})
            with anyio.move_on_after(min(bound, _REPLY)):
                await call.next()
        call.leave(code, "")
        async for _ in call.chunks(bound):
            pass
    except RAISED:
        pass
    finally:
        await call.close()
    return bool(call.accepted)
