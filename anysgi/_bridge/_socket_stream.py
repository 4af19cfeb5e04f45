"""A connected socket on a loop: read what comes, write all of it, never block.

The socket stays what the server made it, TLS and gevent's included: it is only told not to block, and a call that
would is repeated once the loop says that the socket is ready.
"""

from __future__ import annotations

from socket import SHUT_RDWR, SHUT_WR
from ssl import SSLWantReadError, SSLWantWriteError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from socket import socket

    from ._port import Port

_PIECE = 16_384  # bytes a read takes at most: as many tiny frames as a loop should take in one go


class SocketStream:
    """One reader and any number of writers, which take turns; all on the loop.

    Args:
        port: the loop.
        sock: connected.
    """

    __slots__ = ("_bell", "_left", "_pending", "_port", "_sock", "_timeout", "_watch", "_writing")

    def __init__(self, port: Port, sock: socket) -> None:
        self._port = port
        self._sock = sock
        self._timeout = sock.gettimeout()
        sock.setblocking(False)
        self._left = bytearray()  # what was given to `write` and has not left
        self._writing = False
        self._watch = port.watch(sock)
        self._pending = getattr(sock, "pending", None)  # TLS: bytes that have left the system and were not read
        self._bell = port.bell()

    async def read(self) -> bytes:
        """Wait for bytes; `b""` once the peer will send no more.

        Raises:
            OSError: the connection broke.
        """
        pending = self._pending
        if pending is not None and pending():
            await self._port.checkpoint()  # a peer that never pauses may not have the loop to itself
            return self._recv()
        while True:
            try:
                return await self._watch.readable(self._recv)
            except (BlockingIOError, SSLWantReadError):
                pass
            except SSLWantWriteError:
                await self._port.writable(self._sock)

    def _recv(self) -> bytes:
        return self._sock.recv(_PIECE)

    async def write(self, data: bytes) -> None:
        """Send all of it; returns when the system has taken it.  A cancelled call leaves its rest to the next one.

        Raises:
            OSError: the connection broke.
        """
        self.post(data)
        if self._left:
            await self._write_left()

    async def _write_left(self) -> None:
        while self._writing:
            await self._bell.wait()
        self._writing = True
        try:
            while self._left:
                await self._send_some()
        finally:
            self._writing = False
            self._bell.ring()

    async def _send_some(self) -> None:
        left = self._left
        try:
            sent = self._sock.send(left)
        except (BlockingIOError, SSLWantWriteError):
            await self._port.writable(self._sock)
        except SSLWantReadError:  # TLS changes its keys: that is for the reader to see
            await self._port.checkpoint()
        else:
            del left[:sent]

    def post(self, data: bytes) -> None:
        """Send what the socket takes at once; the next `write` sends the rest."""
        left = self._left
        try:
            sent = 0 if left else self._sock.send(data)
        except OSError:  # it would block, or it is broken, which whoever waits for it is told
            sent = 0
        if sent < len(data):
            left += data[sent:]

    def end(self) -> None:
        """Tell the peer that nothing more will come; it may still send."""
        self._shut(SHUT_WR)

    def hang_up(self) -> None:
        """End both ways, so that whoever owns the socket can neither read nor write, and give it back as it was."""
        self._watch.stop()
        self._shut(SHUT_RDWR)
        self._sock.settimeout(self._timeout)

    def close(self) -> None:
        """End both ways, and close the socket."""
        self._watch.stop()
        self._shut(SHUT_RDWR)
        self._sock.close()

    def _shut(self, how: int) -> None:
        try:
            self._sock.shutdown(how)
        except OSError:  # the peer was quicker
            pass
