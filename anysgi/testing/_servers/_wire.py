"""A client on one connection: HTTP/1.1 as h11 reads it, and what a cut connection looks like."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._probe_line import Line

if TYPE_CHECKING:
    import h11

    from ._served import ServedApp

BOUND = 5.0
"""Seconds a server may take for one answer; it needs some milliseconds."""


class Cut(ConnectionError):
    """The connection ended in the middle of a response."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response.  Names of headers are in lower case, their order is the wire's."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Wire:
    """One connection to a server; a context manager.

    Args:
        served: where.
    """

    def __init__(self, served: ServedApp) -> None:
        import h11

        self.socket = socket.create_connection((served.host, served.port), BOUND)
        self._http = h11.Connection(h11.CLIENT)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Leave as a crashed client does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def receive(self) -> bytes:
        """Bytes of the server's; empty once it has closed, however it did."""
        try:
            return self.socket.recv(65536)
        except ConnectionError:
            return b""
        except TimeoutError:
            raise AssertionError(f"nothing comes within {BOUND} s") from None

    def ask(self, target: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Send a GET request."""
        import h11

        head = h11.Request(method="GET", target=target, headers=[("Host", "probe.example"), *headers])
        self.socket.sendall((self._http.send(head) or b"") + (self._http.send(h11.EndOfMessage()) or b""))

    def next(self) -> h11.Event:
        """The next head, piece of body, or end."""
        import h11

        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(self.receive())
        except h11.RemoteProtocolError as error:
            raise Cut(str(error)) from None
        if isinstance(event, h11.ConnectionClosed):
            raise Cut("the server closed the connection")
        assert not isinstance(event, type)
        return event

    def head(self) -> h11.Response:
        """The head of the response; interim ones are passed over."""
        import h11

        while not isinstance(event := self.next(), h11.Response):
            pass
        return event

    def body(self) -> bytes:
        """The rest of the body."""
        return b"".join(iter(self.piece, b""))

    def piece(self) -> bytes:
        """The next piece of the body; empty at its end."""
        import h11

        return bytes(event.data) if isinstance(event := self.next(), h11.Data) else b""

    def answer(self) -> Answer:
        """The whole response."""
        head = self.head()
        return Answer(head.status_code, list(head.headers), self.body())

    def again(self) -> bool:
        """Whether this connection answers a second request."""
        try:
            self._http.start_next_cycle()
            self.ask("/")
            return self.answer().status == 200
        except Exception:  # h11's own, or the connection's: either way there is no answer
            return False


def get(served: ServedApp, target: str, *headers: tuple[str, str]) -> Answer:
    """One request on a connection of its own."""
    with Wire(served) as wire:
        wire.ask(target, headers)
        return wire.answer()


def come_so_far(served: ServedApp, target: str) -> bytes:
    """The first piece of body, which has to be here while the app waits behind it."""
    with Line(BOUND) as line, Wire(served) as wire:
        wire.ask(target + line.query)
        line.heard()
        try:
            wire.head()
            return wire.piece()
        finally:
            line.go_on()
