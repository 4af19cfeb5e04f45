"""What an ASGI app's `receive` gives: the request body, piece by piece, then the disconnect.

    asked for ──> body read ──> gone        a disconnect may come at any time

Most apps never ask, so it is made at the first call; the server's thread reads only what the app waits for.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .._bridge._to_loop import ToLoop
from ..exceptions import ClientDisconnected
from ._asgi_refusals import CutShort

if TYPE_CHECKING:
    from .._bridge._port import Port
    from .._bridge._to_thread import ToThread
    from .._core._asgi_messages import ResponseMessages
    from ..types import Message
    from ._request_pump import RequestPump

gone = partial(ClientDisconnected, "the client left: stop sending")


class AsgiReceive:
    """The request's side of one exchange, on the loop.

    Args:
        port: the loop.
        window: bytes the server's thread may read ahead of the app.
        down: the response's body, whose taker is also who reads.
        messages: the response's head: whether there is still somebody to tell that the client left.
        outer: the request this one is part of, if there is one: it looks out for the client.
        has_body: whether there is a body to ask for.

    Attributes:
        flow: the body.
    """

    __slots__ = ("_down", "_messages", "_outer", "_port", "_read", "_waiting", "flow")

    def __init__(
        self,
        port: Port,
        window: int,
        down: ToThread,
        messages: ResponseMessages,
        outer: RequestPump | None,
        has_body: bool,
    ) -> None:
        self._port = port
        self._down = down
        self._messages = messages
        self._outer = outer
        self._read = False  # the last of the body was given to the app
        self._waiting = 0  # calls that wait for body right now
        self.flow = ToLoop(port, window)
        if not has_body:
            self.flow.end()

    @property
    def wanted(self) -> bool:
        """Whether the app waits for body, and none is there."""
        return self._waiting > 0 and not self.flow.ready

    async def next(self) -> Message:
        """Return the next message (ASGI spec, "Request" and "Disconnect"); cancelling it loses nothing."""
        flow = self.flow
        try:
            if flow.fed and not self._read:
                await self._port.checkpoint()  # Starlette's is_disconnected() cancels first and drops what comes
            while not self._read and not flow.ready:
                await self._ask()
            if self._read:
                if self._outer is not None:
                    self._outer.start()
                await flow.gone()
            body, more = await flow.take()
            flow.credit()
        except ClientDisconnected:
            flow.break_(gone)
            if not self._messages.done:
                # What was told by `receive` holds for `send`.  Who closed one half of a connection may still read.
                self._down.break_(gone if self._read or self._messages.started else CutShort)
            return {"type": "http.disconnect"}
        self._read = not more
        return {"type": "http.request", "body": body, "more_body": more}

    async def _ask(self) -> None:
        """Have the server's thread read a piece, and wait until one came; to whom it goes is another matter."""
        self._waiting += 1
        self._down.nudge()
        try:
            await self.flow.news()
        finally:
            self._waiting -= 1
