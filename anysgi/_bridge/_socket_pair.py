"""A socket pair between a thread and a loop: what the thread sends in small pieces does not pass through the system.

The system would take a call on either side, and at each of them a thread gives up the GIL and wakes others who want it:
a fifth of what an echo costs.  So a small `bytes` waits in a deque for the loop, which hears of all that wait there at
once.  The system keeps everything else, and what it is good at: back-pressure, timeouts, `select`, the end.

What comes first must arrive first.  Nothing is put into the deque before all that was sent through the system has been
read, so whatever waits in the deque is older than what waits in the system.
"""

from __future__ import annotations

from collections import deque
from functools import wraps
from socket import socket, socketpair
from threading import Lock
from typing import TYPE_CHECKING, Any

from . import _forks
from ._socket_stream import SocketStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from ._port import Port

_SMALL = 1024  # bytes; a copy through the system costs little beside what is done with more
_MOST = 16  # pieces ahead of the loop: a read takes them all


class PairStream(SocketStream):
    """The loop's end."""

    __slots__ = ("_counting", "_pieces", "_read", "_sent")

    def __init__(self, port: Port, sock: socket) -> None:
        super().__init__(port, sock)
        self._pieces: deque[bytes] = deque()
        self._read = 0  # bytes that came through the system
        self._sent = 0  # bytes of which the thread knows that they went there
        self._counting = Lock()  # there may be more than one thread

    def put(self, piece: bytes) -> bool:
        """Hand over a piece, from any thread; False if it has to go through the system."""
        if self._sent != self._read or len(self._pieces) >= _MOST or not 0 < len(piece) <= _SMALL:
            return False
        self._pieces.append(piece)
        return self._port.post(self._look)

    def passed(self, size: int) -> None:
        """Hear of bytes that went through the system, from any thread."""
        with self._counting:
            self._sent += size

    def _look(self) -> None:
        if self._pieces:  # a read that was quicker has taken them
            self._watch.look()

    async def read(self) -> bytes:
        if self._pieces:
            await self._port.checkpoint()
            return self._recv()
        return await super().read()

    def _recv(self) -> bytes:
        pieces = self._pieces
        if pieces:
            return b"".join([pieces.popleft() for _ in range(len(pieces))])
        data = super()._recv()
        self._read += len(data)
        return data


def _by_the_system(way: Callable[..., Any]) -> Any:
    """A method of a socket from which on everything goes through the system, and nothing can overtake it."""

    @wraps(way)
    def method(self: PairSocket, *args: Any, **options: Any) -> Any:
        self._stream = None
        return way(self, *args, **options)

    return method


class PairSocket(socket):
    """The thread's end: a socket like any other."""

    _stream: PairStream | None = None  # none for a duplicate, or once the system says what may be sent

    dup = _by_the_system(socket.dup)
    sendfile = _by_the_system(socket.sendfile)
    sendmsg = _by_the_system(socket.sendmsg)
    shutdown = _by_the_system(socket.shutdown)

    def after_fork(self) -> None:
        """The loop is not in this process: its deque would be filled for nobody."""
        self._stream = None

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        put = self._put(data, flags)
        if put:
            return put
        sent = super().send(data, flags)
        self._pass(sent)
        return sent

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        if not self._put(data, flags):
            # If it fails nobody knows how many of them were sent: counted as all, they shut the short way for good.
            self._pass(memoryview(data).nbytes)
            super().sendall(data, flags)

    def _put(self, data: ReadableBuffer, flags: int) -> int:
        """Send by the short way; how many bytes that was."""
        stream = self._stream
        if stream is not None and type(data) is bytes and not flags and self.fileno() >= 0 and stream.put(data):
            return len(data)
        return 0

    def _pass(self, size: int) -> None:
        if self._stream is not None:
            self._stream.passed(size)


def socket_pair(port: Port) -> tuple[PairStream, PairSocket]:
    """Make both ends: the loop's, and the one for a thread."""
    ours, theirs = socketpair()
    stream = PairStream(port, ours)
    sock = PairSocket(fileno=theirs.detach())
    sock._stream = stream
    _forks.register(sock)
    return stream, sock
