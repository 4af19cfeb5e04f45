"""The order of an ASGI app's WebSocket messages as a table, and each message checked and typed.

Source: ASGI spec, "WebSocket", and the extension "Websocket Denial Response"; close codes from RFC 6455 section 7.4.

                  accept   send   close    http.response.start   http.response.body
    CONNECTING    OPEN     -      CLOSED   DENYING               -
    OPEN          -        OPEN   CLOSED   -                     -
    DENYING       -        -      -        -                     DENYING
    CLOSED        -        -      -        -                     -

The order within a denial is that of any response, so it is `ResponseMessages` that knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import AppProtocolError, AppTypeError, AppValueError
from ._asgi_messages import check_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ..types import HeaderList, Message

CONNECTING, OPEN, DENYING, CLOSED = "CONNECTING", "OPEN", "DENYING", "CLOSED"
ACCEPT, SEND, CLOSE, START, BODY = (
    "websocket.accept",
    "websocket.send",
    "websocket.close",
    "websocket.http.response.start",
    "websocket.http.response.body",
)

TRANSITIONS: dict[str, dict[str, str]] = {
    CONNECTING: {ACCEPT: OPEN, CLOSE: CLOSED, START: DENYING},
    OPEN: {SEND: OPEN, CLOSE: CLOSED},
    DENYING: {BODY: DENYING},
    CLOSED: {},
}

_MISTAKES = {
    CONNECTING: "before the WebSocket was accepted; send {'type': 'websocket.accept'} first",
    OPEN: "on an open WebSocket; expected 'websocket.send' or 'websocket.close'",
    DENYING: "while the WebSocket is being denied; expected 'websocket.http.response.body'",
    CLOSED: "after the WebSocket was closed",
}


class Accept(NamedTuple):
    """Answer the handshake with 101."""

    subprotocol: str | None
    headers: HeaderList


class Data(NamedTuple):
    """Send one message: `str` as text, `bytes` as binary."""

    payload: str | bytes


class Close(NamedTuple):
    """Close the WebSocket, or refuse it if it was not accepted."""

    code: int
    reason: str


class Denial(NamedTuple):
    """A piece of an HTTP response instead of the WebSocket, as the HTTP message it stands for."""

    message: Message


Step = Accept | Data | Close | Denial


class WebSocketMessages:
    """One ASGI app's side of one WebSocket, message by message.

    Args:
        subprotocols: what the client offered.

    Attributes:
        state: a row of the table.
    """

    __slots__ = ("_subprotocols", "state")

    def __init__(self, subprotocols: Collection[str]) -> None:
        self._subprotocols = subprotocols
        self.state = CONNECTING

    def accept(self, message: Mapping[str, Any]) -> Step:
        """Check one message, and return what it asks for.

        Raises:
            AppProtocolError: out of order, or of an unknown type.
            AppTypeError, AppValueError: a value that may not be sent.
        """
        kind = message.get("type", "a message without a type")
        following = TRANSITIONS[self.state].get(kind)
        if following is None:
            raise AppProtocolError(f"the app sent {kind!r} {_MISTAKES[self.state]}")
        step = _STEPS[kind](message)
        if isinstance(step, Accept) and step.subprotocol not in (None, *self._subprotocols):
            raise AppValueError(
                f"the app accepts the subprotocol {step.subprotocol!r}, and the client offered {self._subprotocols!r}; "
                "choose one of scope['subprotocols'], or None"
            )
        self.state = following  # last: a refused message changes nothing
        return step


def _accept(message: Mapping[str, Any]) -> Accept:
    headers = [pair for pair in check_headers(message.get("headers") or ()) if not pair[0].startswith(b"sec-websocket")]
    return Accept(message.get("subprotocol"), headers)


def _data(message: Mapping[str, Any]) -> Data:
    payload = message.get("bytes")
    if payload is None:
        payload = message.get("text")
        if not isinstance(payload, str):
            raise AppTypeError(f"'websocket.send' needs 'text' (a str) or 'bytes', not {payload!r}")
    elif not isinstance(payload, (bytes, bytearray, memoryview)):
        raise AppTypeError(f"'bytes' must be bytes, not {type(payload).__name__}; send a str as 'text'")
    return Data(payload if isinstance(payload, str) else bytes(payload))


def _close(message: Mapping[str, Any]) -> Close:
    code, reason = message.get("code"), message.get("reason")
    code = 1000 if code is None else code
    if not isinstance(code, int) or not may_be_sent(code):
        raise AppValueError(f"'code' must be a close code that may be sent (RFC 6455 section 7.4), not {code!r}")
    if not isinstance(reason, (str, type(None))):
        raise AppTypeError(f"'reason' must be a str or None, not {reason!r}")
    return Close(int(code), reason or "")


def _denial(message: Mapping[str, Any]) -> Denial:
    return Denial({**message, "type": message["type"].removeprefix("websocket.")})


_STEPS: dict[str, Callable[[Mapping[str, Any]], Step]] = {
    ACCEPT: _accept,
    SEND: _data,
    CLOSE: _close,
    START: _denial,
    BODY: _denial,
}


def may_be_sent(code: int) -> bool:
    """Whether a close code may stand in a Close frame: 1004 to 1006 and 1015 never do (RFC 6455 section 7.4.1)."""
    return 3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))
