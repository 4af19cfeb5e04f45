"""An HTTP/1.1 client on a raw socket: it sends any bytes, shows every byte of the answer, and hides nothing.

`Reply.complete` tells a clean end (Content-Length reached, last chunk seen) from a connection that was cut, which
most clients blur; `interim` holds 1xx heads; a response can be read piece by piece or abandoned at any point.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self


class Cut(ConnectionError):
    """The connection ended in the middle of a response."""


@dataclass
class Reply:
    """One response.  `headers` keeps order and doubles; names are lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    complete: bool = True
    interim: list[int] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection.  Every read is bounded by `timeout`; a reset by the peer counts as its end."""

    def __init__(self, port: int, *, timeout: float = 15.0, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receive_buffer:  # before connecting: it decides the window that TCP offers
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(receive_buffer))
        self.socket.connect(("127.0.0.1", port))
        self.buffer = bytearray()
        self.ended = False
        self.last = False  # the server said that it will close after this response

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.socket.close()  # a test that failed half-way: its connection is not the next one's business

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Leave as a crashed peer does: RST, nothing said."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # --- sending

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, method: str, target: str, *headers: str, version: str = "1.1") -> None:
        """The head only.  `headers` are whole lines, sent as they are."""
        lines = [f"{method} {target} HTTP/{version}", "Host: 127.0.0.1", *headers, "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))

    def send_chunks(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            self.send(b"%x\r\n%b\r\n" % (len(part), part))
        self.send(b"0\r\n\r\n")

    def get(self, target: str, *headers: str) -> Reply:
        self.request("GET", target, *headers)
        return self.reply()

    def post(self, target: str, body: bytes, *headers: str) -> Reply:
        return self.post_as("POST", target, body, *headers)

    def post_as(self, method: str, target: str, body: bytes, *headers: str) -> Reply:
        self.request(method, target, f"Content-Length: {len(body)}", *headers)
        self.send(body)
        return self.reply()

    def post_chunked(self, target: str, parts: Iterable[bytes], *headers: str) -> Reply:
        self.request("POST", target, "Transfer-Encoding: chunked", *headers)
        self.send_chunks(parts)
        return self.reply()

    # --- receiving

    def fill(self) -> bool:
        """More bytes into the buffer; False at the end of the connection."""
        if self.ended:
            return False
        try:
            data = self.socket.recv(262_144)
        except ConnectionResetError:
            data = b""
        self.ended = not data
        self.buffer += data
        return bool(data)

    def take(self, size: int) -> bytes:
        data = bytes(memoryview(self.buffer)[:size])
        del self.buffer[:size]
        return data

    def line(self) -> bytes:
        while (end := self.buffer.find(b"\r\n")) < 0:
            if not self.fill():
                raise Cut(f"in a line: {bytes(self.buffer)!r}")
        return self.take(end + 2)[:-2]

    def any_head(self) -> Reply:
        """The next response head, interim or final."""
        status = int(self.line().split(b" ", 2)[1])
        headers = []
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.lower(), value.strip()))
        reply = Reply(status, headers)
        self.last = (reply.header("connection") or "").lower() == "close"
        return reply

    def head(self) -> Reply:
        """The next final response head; interim ones are noted on the way."""
        interim: list[int] = []
        while (reply := self.any_head()).status < 200:
            interim.append(reply.status)
        reply.interim = interim
        return reply

    def fill_until(self, text: bytes) -> None:
        """Wait until `text` is among the bytes that came."""
        while text not in self.buffer:
            if not self.fill():
                raise Cut(f"no {text!r} in {bytes(self.buffer)!r}")

    def pieces(self, reply: Reply, *, bodiless: bool = False) -> Iterator[bytes]:
        """The body as it arrives; raises `Cut` when it does not end as its framing says."""
        length = reply.header("content-length")
        if bodiless or reply.status in {204, 304}:
            return
        if reply.header("transfer-encoding") == "chunked":
            while size := int(self.line(), 16):
                yield self.exactly(size)
                self.line()
            self.line()
        elif length is not None:
            left = int(length)
            while left:
                if not self.buffer and not self.fill():
                    raise Cut(f"{left} bytes missing")
                data = self.take(min(left, len(self.buffer)))
                left -= len(data)
                yield data
        else:
            while self.buffer or self.fill():
                yield self.take(len(self.buffer))

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if not self.fill():
                raise Cut(f"{len(self.buffer)} of {size} bytes in a chunk")
        return self.take(size)

    def reply(self, *, bodiless: bool = False) -> Reply:
        """The whole response, complete or not."""
        reply = self.head()
        parts = []
        try:
            parts.extend(self.gather(reply, bodiless))
        except Cut:
            reply.complete = False
        reply.body = b"".join(parts)
        return reply

    def gather(self, reply: Reply, bodiless: bool) -> Iterator[bytes]:
        yield from self.pieces(reply, bodiless=bodiless)

    def rest(self) -> bytes:
        """Whatever still comes until the server closes."""
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def digest(self, reply: Reply) -> tuple[str, int]:
        """SHA-256 and size of a body too big to hold."""
        total, size = hashlib.sha256(), 0
        for piece in self.pieces(reply):
            total.update(piece)
            size += len(piece)
        return total.hexdigest(), size
