"""A client of HTTP/2 without TLS, with prior knowledge (RFC 9113 section 3.3), that takes what a server pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._conformance._check import NotTried, expect
from ._wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from h2.connection import H2Connection
    from h2.events import Event

    from ._served import ServedApp


def pushed(served: ServedApp, target: str, authority: str) -> bytes:
    """The body of what is pushed along with the answer to a request.

    Raises:
        NotTried: the server does not speak HTTP/2 without TLS, or offers no push.
    """
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import DataReceived, PushedStreamReceived, ResponseReceived, StreamEnded
    from h2.exceptions import ProtocolError

    with Wire(served) as wire:
        http = H2Connection(H2Configuration(header_encoding="ascii"))
        http.initiate_connection()
        names = (":method", ":path", ":scheme", ":authority")
        http.send_headers(1, list(zip(names, ("GET", target, "http", authority), strict=True)), end_stream=True)
        wire.socket.sendall(http.data_to_send())
        promised, body, answered = None, b"", False
        try:
            for event in _events(http, wire):
                if isinstance(event, ResponseReceived) and event.stream_id == 1:
                    answered = True
                    if (":status", "501") in (event.headers or ()):
                        raise NotTried("it offers no push")
                elif isinstance(event, PushedStreamReceived):
                    promised = event.pushed_stream_id
                elif isinstance(event, DataReceived) and event.stream_id == promised:
                    body += event.data or b""
                elif isinstance(event, StreamEnded) and promised in (None, event.stream_id):
                    return _something(body)
        except ProtocolError:  # an answer of HTTP/1.1
            pass
    if not answered:
        raise NotTried("it speaks no HTTP/2 without TLS")
    return _something(body)


def _something(body: bytes) -> bytes:
    expect(body, "nothing is pushed")
    return body


def _events(http: H2Connection, wire: Wire) -> Iterator[Event]:
    """Whatever comes, until the server closes."""
    while data := wire.receive():
        yield from http.receive_data(data)
        wire.socket.sendall(http.data_to_send())
