"""The one reader of an ASGI `receive()`: the body into a window, then an eye on the connection.

It starts when the app first reads, when the response streams, when the app asks whether the client is still there, or
when the response ends before the upload; a request without any of these never calls `receive()` at all, and never makes
the window.  What comes once nobody wants it is thrown away: hypercorn's last `send` waits for somebody to take it.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from .._bridge._to_thread import ToThread
from .._core._containment import raising
from ..exceptions import BadRequest, ClientDisconnected

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    from .._bridge._pool import WorkerPool
    from .._bridge._port import Bell, Port, Task
    from ..types import Environ, Receive
    from ._asgi_exchange import AsgiExchange
    from ._wsgi_to_asgi import WsgiToAsgi

    Reason = Callable[[], BaseException]  # what a broken flow raises, made anew each time

log = logging.getLogger("anysgi")


_unread = partial(ClientDisconnected, "the body was larger than the window, and not read before the response streamed")


def _nobody(reason: Reason) -> None:
    """Where a disconnect is reported once nobody cares."""


class RequestPump:
    """Reads for one request.

    Args:
        adapter: whose options apply.
        port: the loop.
        environ: the request, translated.
        length_unknown: whether a body may come whose length nobody announced.
        receive: the server's.
        abandon: called with a reason when the exchange is over before its time.
        context: the request's; what is around `receive` runs in a copy of it, whoever asks first.

    Attributes:
        pool: where the app runs.
        outer: the request that this one is part of, if there is one.
        got: bytes of body received.
        complete: whether the last of them arrived.
        gone: whether the client is known to have left.
        inner: the exchanges that are part of this one.
        task: what reads, if it was ever needed.
    """

    __slots__ = (
        "_abandon",
        "_broken",
        "_context",
        "_expected",
        "_flows",
        "_limit",
        "_news",
        "_receive",
        "_streaming",
        "_wanted",
        "_window",
        "complete",
        "gone",
        "got",
        "inner",
        "outer",
        "pool",
        "port",
        "task",
    )

    def __init__(
        self,
        adapter: WsgiToAsgi,
        port: Port,
        environ: Environ,
        length_unknown: bool,
        receive: Receive,
        abandon: Callable[[Reason], None],
        context: Context,
    ) -> None:
        self.port = port
        self._receive = receive
        self._window = max(adapter.window, adapter.prebuffer)
        self._limit = adapter.max_body_size
        self._expected: str | None = environ.get("CONTENT_LENGTH", None if length_unknown else "0")
        self._abandon = abandon
        self._context = context
        self._flows: dict[None, ToThread] = {}
        self._broken: Reason | None = None
        self.task: Task | None = None
        self._news: Bell | None = None
        self.pool: WorkerPool = adapter.pool
        self.outer: RequestPump | None = environ.get("anysgi.outer")
        self.inner: tuple[AsgiExchange, ...] = ()
        # Two flags and no state: the app's thread raises the first, the loop the second.
        self._wanted = self._streaming = False
        self.got = 0
        self.complete = self.gone = False

    # On any thread

    def open(self) -> ToThread:
        """Return the window, made at the first call; both sides may be first, so `setdefault` decides."""
        flow = self._flows.get(None)
        if flow is None:
            flow = self._flows.setdefault(None, ToThread(self.port, self._window))
            if self._broken is not None:
                flow.break_(self._broken)
        return flow

    def ask(self) -> ToThread:
        """The app wants the body: have it read, and return where it arrives."""
        self._wanted = True
        self.port.post(self.start)
        return self.open()

    def client_disconnected(self) -> bool:
        """Whether the client is known to have left; asking begins to watch (and to read the body ahead)."""
        self.port.post(self.start)
        return self.gone

    def adopt(self, inner: AsgiExchange) -> None:
        """An exchange inside this one, on the same loop: it ends with it, and has it look out for the client."""
        inner.outer = self
        self.inner = (*self.inner, inner)
        if self._broken is not None:
            self.port.post(self._hang_up_inner)

    # On the loop

    def _hang_up_inner(self) -> None:
        for exchange in self.inner:
            exchange.hang_up()

    def break_(self, reason: Reason) -> None:
        """Nothing more will come: reads raise what `reason()` makes."""
        if self._broken is None:
            self._broken = reason
        flow = self._flows.get(None)
        if flow is not None:
            flow.break_(reason)
        if self.inner:
            self._hang_up_inner()
        self._tell()

    def watch(self) -> None:
        """The response streams: from now on a body nobody reads may not keep the disconnect from being seen."""
        self._streaming = True
        if self.task is None:
            self.start()
        elif not self._wanted and self.open().full:
            self.open().break_(_unread)

    def start(self) -> None:
        """Begin, unless it has begun or is no longer wanted."""
        if self.task is None and self._broken is None:
            self._begin()

    def _begin(self) -> None:
        self.task = self.port.spawn(self._run(), self._context.copy())

    def read_on(self) -> None:
        """The end of the response is next, whatever is left of the upload: throw that away, until `end`."""
        self._streaming, self._wanted = True, False
        if self.task is None:
            if self._expected != "0":
                self._begin()
        elif self.open().full:
            self.open().break_(_unread)

    async def buffered(self, size: int) -> None:
        """Wait until `size` bytes wait for the app, or no more will come, or fit."""
        self._news = self.port.bell()
        self.start()
        flow = self.open()
        while not (flow.held >= size or flow.full or self.complete or flow.broken):
            await self._news.wait()
        self._news = None

    def end(self, reason: Reason) -> None:
        """The exchange is over: reads from now on raise what `reason()` makes."""
        self.break_(reason)
        self.inner = ()
        self._abandon = _nobody  # exchange, environ and pump would hold each other otherwise, until a collection
        if self.task is not None:
            self.task.cancel()

    async def _run(self) -> None:
        try:
            if not await self._read_body():
                return
            message = await self._receive()
        except OSError as error:
            log.warning("receive() failed, which counts as a disconnect: %r", error)
            self._leave()
        except Exception as error:  # of the server, or of middleware around us, which wants it back
            self.break_(partial(ClientDisconnected, f"receive() failed: {error!r}"))
            self._abandon(raising(error))
        else:
            if message["type"] == "http.disconnect":
                self._leave()

    async def _read_body(self) -> bool:
        """Read up to the last byte; False if there was none.  A disconnect on the way is not an end."""
        flow = self.open()
        while True:
            if flow.full:
                if self._streaming and not self._wanted:
                    flow.break_(_unread)
                await flow.room()
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._leave()
                return False
            body = message.get("body", b"")
            self.got += len(body)
            if self._limit is not None and self.got > self._limit and self._broken is None:
                self._abandon(partial(BadRequest, f"the body is larger than {self._limit} bytes", 413))
            if body and not flow.broken:
                flow.feed(bytes(body))
            if not message.get("more_body", False):
                break
            self._tell()
        if self._expected is not None and self.got < int(self._expected):
            flow.break_(partial(ClientDisconnected, f"the body ended after {self.got} of {self._expected} bytes"))
        else:
            self.complete = True
            if not flow.broken:  # the rest was given up: what is left is no whole body
                flow.end()
        self._tell()
        return True

    def _tell(self) -> None:
        if self._news is not None:
            self._news.ring()

    def _leave(self) -> None:
        self.gone = True
        self._abandon(partial(ClientDisconnected, "the client disconnected"))
        self._tell()
