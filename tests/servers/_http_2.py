"""One GET over HTTP/2, event by event."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import h2.connection
import h2.events

if TYPE_CHECKING:
    from collections.abc import Iterator


def over_http_2(port: int, target: str, *fields: tuple[str, str]) -> Iterator[h2.events.Event]:
    """What comes back for a GET over HTTP/2, until the stream ends; hypercorn takes it without TLS."""
    talk = h2.connection.H2Connection()
    with socket.create_connection(("127.0.0.1", port), 10.0) as connection:
        talk.initiate_connection()
        head = [(":method", "GET"), (":path", target), (":scheme", "http"), (":authority", "127.0.0.1")]
        talk.send_headers(1, [*head, *fields], end_stream=True)
        connection.sendall(talk.data_to_send())
        while data := connection.recv(65_536):
            for event in talk.receive_data(data):
                yield event
                if isinstance(event, h2.events.StreamEnded):
                    return
            connection.sendall(talk.data_to_send())
