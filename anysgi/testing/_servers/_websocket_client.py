"""A WebSocket client that sends its messages in fragments, with pings in between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .._conformance._check import NotTried
from ._wire import Wire

if TYPE_CHECKING:
    from wsproto.events import Event

    from ._served import ServedApp


class Socket:
    """An accepted WebSocket; a context manager.

    Args:
        served: where.
        target: the path.

    Raises:
        NotTried: the handshake is not accepted.
    """

    def __init__(self, served: ServedApp, target: str) -> None:
        from wsproto.events import AcceptConnection

        self._opening = _Opening(served, target)
        self.pongs: list[bytes] = []
        if not isinstance(event := self._opening.answer, AcceptConnection):
            self._opening.wire.socket.close()
            raise NotTried(f"it takes no WebSocket: {event!r:.100}")

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *error: object) -> None:
        self._opening.wire.socket.close()

    def say_in_pieces(self, *pieces: str | bytes) -> None:
        """Send a message, a fragment each, and a ping after each but the last."""
        from wsproto.events import Message, Ping

        for left, piece in enumerate(pieces, 1 - len(pieces)):
            self._opening.send(Message[Any](piece, message_finished=not left))
            if left:
                self._opening.send(Ping(b"ping"))

    def next(self) -> Any:
        """The next message, which is JSON."""
        from wsproto.events import Pong, TextMessage

        text = ""
        while True:
            event = self._opening.next()
            if isinstance(event, Pong):
                self.pongs.append(bytes(event.payload))
            elif isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    return json.loads(text)
            else:
                raise AssertionError(f"instead of an answer comes {event!r:.100}")


def refusal_of(served: ServedApp, target: str) -> int | None:
    """The status of a handshake that is refused; None if it is accepted, or the connection cut."""
    from wsproto.events import RejectConnection

    with Socket(served, "/tells-its-messages"):
        pass  # a server that takes no WebSocket at all refuses none
    answer = _Opening(served, target)
    answer.wire.socket.close()
    return answer.answer.status_code if isinstance(answer.answer, RejectConnection) else None


class _Opening:
    """A connection, and what came of its handshake."""

    def __init__(self, served: ServedApp, target: str) -> None:
        from wsproto import ConnectionType, WSConnection
        from wsproto.events import Request

        self.wire = Wire(served)
        self._frames = WSConnection(ConnectionType.CLIENT)
        self._events = self._frames.events()
        self.send(Request(host="probe.example", target=target))
        self.answer = self.next()

    def send(self, event: Event) -> None:
        self.wire.socket.sendall(self._frames.send(event))

    def next(self) -> Event | None:
        """The next event; None at the end of the connection."""
        from wsproto.utilities import RemoteProtocolError

        try:
            while (event := next(self._events, None)) is None:
                data = self.wire.receive()
                if not data:
                    return None
                self._frames.receive_data(data)
                self._events = self._frames.events()
        except RemoteProtocolError as error:
            return error.event_hint
        return event
