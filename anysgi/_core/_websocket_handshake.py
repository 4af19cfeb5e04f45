"""The opening handshake of RFC 6455 section 4, sans-IO: as the server of a client, and as the client of an app.

`wsproto` does both; here is what it has to be told, and what its complaints mean to us.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import TYPE_CHECKING

from h11 import ProtocolError as HttpError
from wsproto import ConnectionType, WSConnection, events
from wsproto.connection import Connection
from wsproto.handshake import H11Handshake
from wsproto.utilities import ProtocolError, RemoteProtocolError

from ..exceptions import AppProtocolError, BadRequest
from ._websocket_messages import Accept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import HeaderList


_END_OF_HEAD = re.compile(rb"\n\r?\n")  # as h11 sees it


class ServerHandshake:
    """A client's request for a WebSocket, and the answer to it.

    Args:
        headers: the request's; of a GET over HTTP/1.1.

    Raises:
        BadRequest: it is no handshake (400), or one of another version (426).
    """

    __slots__ = ("_handshake",)

    def __init__(self, headers: HeaderList) -> None:
        self._handshake = H11Handshake(ConnectionType.SERVER)
        relevant = [(name, value) for name, value in headers if _matters(name)]
        _check_key(relevant)
        try:
            self._handshake.initiate_upgrade_connection([(b"host", b"app"), *relevant], "/")
        except RemoteProtocolError as error:
            hint = error.event_hint
            status = hint.status_code if isinstance(hint, events.RejectConnection) else 400
            raise BadRequest(f"not a WebSocket handshake: {error}", status) from None
        except (HttpError, UnicodeError) as error:
            raise BadRequest(f"not a WebSocket handshake: {error}") from None

    def accept(self, step: Accept) -> tuple[bytes, Connection]:
        """Return the 101 to send, and the connection that begins after it."""
        answer = self._handshake.send(events.AcceptConnection(subprotocol=step.subprotocol, extra_headers=step.headers))
        assert self._handshake.connection is not None
        return answer, self._handshake.connection


def _matters(name: bytes) -> bool:
    return name in (b"connection", b"upgrade") or name.startswith(b"sec-websocket-")


def _check_key(headers: HeaderList) -> None:
    """RFC 6455 section 4.2.1: a key decodes to 16 bytes; one that is missing is for wsproto to report."""
    for name, value in headers:
        if name == b"sec-websocket-key":
            try:
                if len(b64decode(value, validate=True)) == 16:
                    return
            except NotBase64:
                pass
            raise BadRequest("not a WebSocket handshake: Sec-WebSocket-Key must be 16 bytes in base64")


class AppHandshake:
    """Our request for a WebSocket to an app that answers on a socket of its own.

    Args:
        subprotocols: what the client offered.

    Attributes:
        key: the `Sec-WebSocket-Key`, for the environ.
        early: the bytes that came along behind the app's answer.
    """

    __slots__ = ("_client", "_seen", "early", "key")

    def __init__(self, subprotocols: Sequence[str]) -> None:
        self._client = WSConnection(ConnectionType.CLIENT)
        self._seen = self.early = b""
        request = self._client.send(events.Request(host="app", target="/", subprotocols=list(subprotocols)))
        found = re.search(rb"(?i)^sec-websocket-key: *(\S+)", request, re.MULTILINE)
        assert found is not None
        self.key = str(found[1], "ascii")

    def receive(self, data: bytes) -> Accept | None:
        """Take bytes the app wrote; return its answer once it is complete.

        Raises:
            AppProtocolError: they do not accept the WebSocket.
        """
        self._seen += data
        end = _END_OF_HEAD.search(self._seen)
        if end is not None:
            self.early = self._seen[end.end() :]
            data = data[: len(data) - len(self.early)]
        try:
            self._client.receive_data(data)
            event = next(self._client.events(), None)
        except (ProtocolError, HttpError, UnicodeError) as error:
            raise AppProtocolError(f"what the app wrote on its socket is no WebSocket handshake: {error}") from None
        if isinstance(event, events.AcceptConnection):
            return Accept(event.subprotocol, event.extra_headers)
        if isinstance(event, events.RejectConnection):
            raise AppProtocolError(
                f"the app wrote a {event.status_code} on its socket; to refuse a WebSocket, return a WSGI response"
            )
        return None

    @property
    def connection(self) -> Connection:
        """The connection that begins after the handshake."""
        assert self._client.connection is not None
        return self._client.connection
