"""The one reader of an ASGI `receive()`: the body into a window, then an eye on the connection.

It starts when the app first reads, when the response streams, or when the app asks whether the client is still there;
a request answered in one piece without any of these never calls `receive()` at all.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from ..exceptions import BadRequest, ClientDisconnected

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .._bridge._asyncio import AsyncioBell, AsyncioPort
    from .._bridge._to_thread import ToThread
    from ..types import Receive

    Reason = Callable[[], BaseException]  # what a broken flow raises, made anew each time

log = logging.getLogger("anysgi")


class RequestPump:
    """Reads for one request, on the loop.

    Args:
        port: the loop.
        receive: the server's.
        flow: where the body goes.
        abandon: called with a reason when the exchange is over before its time.
        expected: the announced Content-Length in bytes, None if unknown.
        limit: bytes after which the body is refused with 413, None for no limit.

    Attributes:
        got: bytes of body received.
        complete: whether the last of them arrived.
        gone: whether the client is known to have left.
    """

    __slots__ = (
        "_abandon",
        "_expected",
        "_flow",
        "_limit",
        "_news",
        "_port",
        "_receive",
        "_task",
        "complete",
        "gone",
        "got",
    )

    def __init__(
        self,
        port: AsyncioPort,
        receive: Receive,
        flow: ToThread,
        abandon: Callable[[Reason], None],
        expected: int | None,
        limit: int | None,
    ) -> None:
        self._port = port
        self._receive = receive
        self._flow = flow
        self._abandon = abandon
        self._expected = expected
        self._limit = limit
        self._task: asyncio.Task[None] | None = None
        self._news: AsyncioBell | None = None
        self.got = 0
        self.complete = self.gone = False

    def start(self) -> None:
        """Begin, unless it has begun.  On the loop."""
        if self._task is None:
            self._task = self._port.spawn(self._run())

    async def buffered(self, size: int) -> None:
        """Wait until `size` bytes wait for the app, or no more will come."""
        self._news = self._port.bell()
        self.start()
        while not (self._flow.held >= size or self.complete or self._flow.broken):
            await self._news.wait()
        self._news = None

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        """End the task, and wait until it has ended."""
        if self._task is not None:
            await self._port.stop(self._task)

    async def _run(self) -> None:
        try:
            if not await self._read_body():
                return
            message = await self._receive()
        except Exception as error:
            log.warning("receive() failed, which counts as a disconnect: %r", error)
            self._leave()
        else:
            if message["type"] == "http.disconnect":
                self._leave()

    async def _read_body(self) -> bool:
        """Read up to the last byte; False if there was none.  A disconnect on the way is not an end."""
        flow = self._flow
        while True:
            if flow.full:
                await flow.room()
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._leave()
                return False
            body = message.get("body", b"")
            self.got += len(body)
            if self._limit is not None and self.got > self._limit:
                self._abandon(partial(BadRequest, f"the body is larger than {self._limit} bytes", 413))
                return False
            if body:
                flow.feed(bytes(body))
            if not message.get("more_body", False):
                break
            if self._news is not None:
                self._news.ring()
        if self._expected is not None and self.got < self._expected:
            flow.break_(partial(ClientDisconnected, f"the body ended after {self.got} of {self._expected} bytes"))
        else:
            self.complete = True
            flow.end()
        if self._news is not None:
            self._news.ring()
        return True

    def _leave(self) -> None:
        self.gone = True
        if self._news is not None:
            self._news.ring()
        self._abandon(partial(ClientDisconnected, "the client disconnected"))
