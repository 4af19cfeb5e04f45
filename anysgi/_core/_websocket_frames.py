"""One end of an open WebSocket, sans-IO: bytes in and whole messages out, messages in and bytes out (RFC 6455).

`wsproto` knows the frames, apart from the plain ones (`_websocket_plain`); what is added here is what whole messages
need: fragments are put together up to a bound, pings and Closes are answered, and whatever the peer did wrong becomes
the Close frame that names it.

    OPEN --close(), or the peer's mistake--> CLOSING --the peer's Close--> CLOSED
    OPEN --the peer's Close, answered--> CLOSED
"""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from wsproto import events
from wsproto.connection import ConnectionState
from wsproto.frame_protocol import CloseReason

from ._websocket_messages import CLOSED, OPEN, Close
from ._websocket_plain import BINARY, KNOWN, PLAIN, TEXT, Head, head_at, payload_of, plain_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsproto.connection import Connection

_CLOSING = "CLOSING"
_ALL = 1 << 64  # bytes: of a frame that is broken, and whatever comes after it
NO_STATUS, ABNORMAL, TOO_BIG = 1005, 1006, 1009  # RFC 6455 section 7.4.1


class WebSocketFrames:
    """Frames of one connection, from the end of its handshake.

    Args:
        connection: wsproto's, open; client or server.
        max_size: bytes a message may have; a larger one closes the connection with 1009.

    Attributes:
        state: a word of the picture above; wsproto's own would be asked for with every frame.
        failed: the peer broke RFC 6455, or the bound: nothing it sends counts any more.
    """

    __slots__ = ("_connection", "_left", "_max_size", "_owed", "_parts", "_replies", "_size", "failed", "state")

    def __init__(self, connection: Connection, max_size: int) -> None:
        self._connection = connection
        self._max_size = max_size
        self._left = b""  # the beginning of a frame's head
        self._owed = 0  # bytes of a frame, the first of which went to wsproto
        self._parts: StringIO | BytesIO | None = None
        self._size = 0
        self._replies = bytearray()
        self.state = OPEN
        self.failed = False

    def replies(self) -> bytes:
        """Take what has to be sent in answer to what was received."""
        if not self._replies:
            return b""
        replies, self._replies = bytes(self._replies), bytearray()
        return replies

    def send(self, payload: str | bytes) -> bytes:
        """Frame a message; `b""` if the connection is closing, when nothing may follow."""
        if self.state is not OPEN:
            return b""
        if isinstance(payload, str):
            return plain_frame(TEXT, payload.encode(), masked=self._connection.client)
        return plain_frame(BINARY, payload, masked=self._connection.client)

    def ping(self) -> bytes:
        return self._connection.send(events.Ping()) if self.state is OPEN else b""

    def close(self, close: Close) -> bytes:
        """Frame a Close; `b""` if one was sent before.  1005 says nothing, as only an empty Close frame can."""
        if self.state is not OPEN:
            return b""
        if close.code == NO_STATUS:
            framed = self._connection.send(events.CloseConnection(CloseReason.NO_STATUS_RCVD))
        else:
            framed = self._connection.send(events.CloseConnection(close.code, close.reason))
        self.state = _CLOSING
        return framed

    def receive(self, data: bytes) -> Iterator[str | bytes | Close]:
        """Yield the messages that `data` completes, and the Close that ends them; `replies()` has the answers."""
        data, self._left = self._left + data, b""
        at = 0
        while at < len(data) and self.state is not CLOSED:
            if self._owed:
                piece = data[at : at + self._owed]
                at += len(piece)
                self._owed -= len(piece)
                yield from self._asked_of_wsproto(piece)
            elif (head := head_at(data, at)) is None and data[at] in KNOWN:
                self._left = data[at:]
                return
            elif head is not None and (message := self._plain(data, at, head)) is not None:
                yield message
                at = head.end
            else:
                self._owed = head.end - at if head is not None and data[at] in KNOWN else _ALL

    def _plain(self, data: bytes, at: int, head: Head) -> str | bytes | None:
        """The message in a plain frame that is all there; None for every other frame, and every mistake."""
        if data[at] not in PLAIN or self._parts is not None or self.state is not OPEN:
            return None
        if head.masked is self._connection.client or head.end - head.start > self._max_size:
            return None
        payload = payload_of(data, head)
        if payload is None or data[at] == PLAIN[1]:
            return payload
        try:
            return payload.decode()
        except UnicodeDecodeError:
            return None

    def _asked_of_wsproto(self, data: bytes) -> Iterator[str | bytes | Close]:
        self._connection.receive_data(data)
        for event in self._connection.events():
            match event:
                case events.Message():
                    if self._keep(event.data):
                        yield from self._complete(event)
                    else:
                        yield self._fail(TOO_BIG, f"a message may have {self._max_size} bytes")
                case events.Ping():
                    self._pong(event)
                case events.CloseConnection():
                    yield self._closing(event)
            if self.failed:
                return

    def _keep(self, data: str | bytes | bytearray) -> bool:
        """Count a fragment; False if the message is larger than allowed."""
        self._size += len(data) if not isinstance(data, str) or data.isascii() else len(data.encode())
        return self._size <= self._max_size

    def _complete(self, event: events.Message[Any]) -> Iterator[str | bytes]:
        """Yield the message if `event` is its end; else keep the fragment, in one buffer: it may be one of millions."""
        data, parts = event.data, self._parts
        if parts is None and not event.message_finished:
            self._parts = parts = StringIO() if isinstance(data, str) else BytesIO()
        if parts is not None:
            parts.write(data)
        if event.message_finished:
            self._parts, self._size = None, 0
            if self.state is OPEN:
                yield parts.getvalue() if parts is not None else data

    def _pong(self, ping: events.Ping) -> None:
        if self.state is OPEN:
            self._replies += self._connection.send(ping.response())

    def _closing(self, event: events.CloseConnection) -> Close:
        state = self._connection.state
        if state is ConnectionState.REMOTE_CLOSING:
            self._replies += self._connection.send(event.response())
        elif state is not ConnectionState.CLOSED:  # wsproto's way of reporting a mistake
            return self._fail(int(event.code), event.reason or "")
        self.state = CLOSED
        return Close(int(event.code), event.reason or "")

    def _fail(self, code: int, reason: str) -> Close:
        """RFC 6455 section 7.1.7, "Fail the WebSocket Connection"."""
        close = Close(code, reason)
        self._replies += self.close(close)
        self.failed, self.state = True, CLOSED
        return close
