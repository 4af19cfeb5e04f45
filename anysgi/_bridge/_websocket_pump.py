"""An open WebSocket on a socket: frames read, put together and delivered; messages sent; Closes exchanged.

    run() reads until both sides have closed, or the socket ended, or the task that runs it is cancelled

Whoever runs it decides where messages go: `deliver` is awaited with each, so a slow taker stops the reading, and with
it the peer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core._websocket_frames import ABNORMAL
from .._core._websocket_messages import CLOSED, Close
from ..exceptions import ClientDisconnected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._core._websocket_frames import WebSocketFrames
    from ._port import Port
    from ._socket_stream import SocketStream


class WebSocketPump:
    """One end of a WebSocket.

    Args:
        port: the loop.
        stream: the socket.
        frames: what is on it.
        deliver: takes a whole message.
        patience: seconds a peer that broke the protocol has to read why.

    Attributes:
        end: how it ended: the peer's Close, or 1006 as long as there was none (RFC 6455 section 7.1.5).
        reads: how often something came.
        delivering: whether a message waits to be taken, and nothing is read meanwhile.
    """

    __slots__ = ("_deliver", "_frames", "_patience", "_port", "_stream", "delivering", "end", "reads")

    def __init__(
        self,
        port: Port,
        stream: SocketStream,
        frames: WebSocketFrames,
        deliver: Callable[[str | bytes], Awaitable[None]],
        patience: float,
    ) -> None:
        self._port = port
        self._patience = patience
        self._stream = stream
        self._frames = frames
        self._deliver = deliver
        self.end = Close(ABNORMAL, "")
        self.reads = 0
        self.delivering = False

    @property
    def failed(self) -> bool:
        """Whether the peer broke the protocol; `end` says how."""
        return self._frames.failed

    async def run(self, early: bytes = b"") -> None:
        """Read to the end; a socket that breaks is an end like another.

        Args:
            early: bytes that came before, and were read by somebody else.
        """
        try:
            await self._take(early)
            while self._frames.state is not CLOSED and (data := await self._stream.read()):
                self.reads += 1
                await self._take(data)
            self._stream.end()
            if self._frames.failed:
                await self.drain()
        except OSError:
            pass

    async def _take(self, data: bytes) -> None:
        for item in self._frames.receive(data):
            if isinstance(item, Close):
                self.end = item
            else:
                self.delivering = True
                await self._deliver(item)
                self.delivering = False
        replies = self._frames.replies()
        if replies:
            await self._stream.write(replies)

    async def drain(self) -> None:
        """Drop what the peer still sends, until it has ended as well or `patience` is over.

        A socket closed before that may take along what the peer has not read: the Close that explains it.
        """
        try:
            async with self._port.timeout(self._patience):
                while await self._stream.read():
                    pass
        except OSError:  # TimeoutError is one
            pass

    async def send(self, payload: str | bytes) -> None:
        """Send a message; returns once the system has taken it.

        Raises:
            ClientDisconnected: the other side has closed, or is gone.
        """
        framed = self._frames.send(payload)
        if not framed:
            raise ClientDisconnected("the WebSocket was closed by the other side")
        try:
            await self._stream.write(framed)
        except OSError as error:
            raise ClientDisconnected(f"the WebSocket broke: {error}") from error

    async def close(self, close: Close) -> None:
        """Send a Close, unless one was sent; `run` ends when the peer has answered."""
        try:
            await self._stream.write(self._frames.close(close))
        except OSError:
            pass

    def ping(self) -> None:
        """Send a ping if the socket takes it at once: behind bytes the peer does not read it would say nothing."""
        self._stream.post(self._frames.ping())
