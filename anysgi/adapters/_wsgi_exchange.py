"""One WSGI request on the loop: hand it to a thread, relay the response, and see every way it can end.

    queued ──> running ──> response relayed ──> closed
       │          │                │
       └──────────┴── abandon ─────┘   the client left, `timeout=` passed, the queue was too slow, the body too large

`abandon` breaks both flows, so that whichever side waits wakes up; the thread then closes the app's iterable.
"""

from __future__ import annotations

import logging
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

from .._bridge._contexts import write_back
from .._bridge._pool import PoolFull
from .._bridge._to_loop import ToLoop
from .._core._route import hand_on
from ..exceptions import ClientDisconnected, RequestTimeout
from ._nesting import ended, pool_for
from ._request_input import WsgiInput
from ._request_pump import RequestPump
from ._server_offers import add_offers
from ._wsgi_call import WsgiCall
from ._wsgi_refusals import QueueTimeout, refusal_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._bridge._port import Port, Timer
    from .._core._refusals import Refusal
    from ..types import Environ, Receive, Send
    from ._wsgi_to_asgi import WsgiToAsgi

log = logging.getLogger("anysgi")

_PATIENCE = 0.05  # seconds in the queue after which it is worth a task to see whether the client is still there


class WsgiExchange:
    """One request and its response.

    Args:
        adapter: whose options apply.
        port: the loop the request arrived on.
        environ: the request, translated.
        receive, send: the server's.
        length_unknown: whether a body may come whose length nobody announced.
        timeout: seconds for the whole response; None for no limit.
    """

    __slots__ = (
        "_adapter",
        "_call",
        "_environ",
        "_hints",
        "_method",
        "_out",
        "_path",
        "_port",
        "_pump",
        "_reason",
        "_send",
        "_started",
        "_timeout",
        "_timers",
    )

    def __init__(
        self,
        adapter: WsgiToAsgi,
        port: Port,
        environ: Environ,
        receive: Receive,
        send: Send,
        length_unknown: bool,
        timeout: float | None,
    ) -> None:
        self._adapter = adapter
        self._port = port
        self._environ = environ
        self._method = environ["REQUEST_METHOD"]  # the app may do to its environ what it likes
        self._path = environ["PATH_INFO"]
        self._send = send
        self._timeout = timeout
        self._started = False
        self._reason: Callable[[], BaseException] | None = None
        self._timers: tuple[Timer, ...] = ()
        self._out = ToLoop(port, adapter.window)
        context = copy_context()
        self._pump = RequestPump(adapter, port, environ, length_unknown, receive, self.abandon, context)
        environ["wsgi.input"] = WsgiInput(self._pump.ask)
        self._hints = add_offers(environ, port, send)
        environ["anysgi.outer"] = self._pump
        environ["anysgi.client_disconnected"] = self._pump.client_disconnected
        self._call = WsgiCall(adapter.app, environ, self._out, context, length_unknown and adapter.spools)

    def abandon(self, reason: Callable[[], BaseException]) -> None:
        """End the exchange before its time: a queued call is never run, both flows raise what `reason()` makes."""
        if self._call.revoke():
            self._out.finish()
        self._reason = self._reason or reason
        self._out.break_(reason)
        self._pump.break_(reason)

    async def run(self) -> None:
        """Serve the request.

        Raises:
            BaseException: what the app raised, what `send` raised, or why a response that had begun was cut.
        """
        try:
            if self._timeout is None:
                await self._serve()
            else:
                await self._serve_within(self._timeout)
        except Exception as error:
            if not await self._settled(error):
                self._leave_inner()
                raise
        except self._port.Cancelled:
            for exchange in self._pump.inner:
                exchange.cancel_background()
            raise
        finally:
            for timer in self._timers:
                timer.cancel()
            inner = self._pump.inner
            if not self._out.done:
                self.abandon(_gone)
            self._pump.end(_over)
        watching = self._pump.task
        if watching is not None:
            await self._port.stop(watching)
        if self._adapter.propagate_context:
            write_back(self._call.context)
        for exchange in inner:
            await ended(exchange, self._port)

    async def _serve(self) -> None:
        out, send, call = self._out, self._send, self._call
        if self._adapter.prebuffer:
            await self._prebuffer()
        pool = self._adapter.pool if self._pump.outer is None else pool_for(self._pump)
        if not pool.submit(call):
            self._queued()
        try:
            await out.news()
        finally:
            hand_on(self._environ, self._environ.get("asgi.scope", {}))
        body, more = out.taken() or await out.take()
        self._started = True
        if self._hints is not None:
            await self._hints.sent()
        await send(call.start)
        file = call.file
        if not more:
            self._pump.read_on()
        await send(file or {"type": "http.response.body", "body": body, "more_body": more})
        if more:
            out.credit()
            if file is None:
                await self._relay_rest(streaming=not out.ready)
        if not out.clean:
            await out.finished()

    async def _serve_within(self, seconds: float) -> None:
        """The same against the clock, whatever it is that takes so long: the queue, the app, or the client."""
        try:
            async with self._port.timeout(seconds) as clock:
                await self._serve()
        except TimeoutError:
            if not clock.expired():
                raise
            late = partial(RequestTimeout, f"the response took longer than {seconds} s")
            self.abandon(late)
            raise late() from None

    async def _prebuffer(self) -> None:
        await self._pump.buffered(self._adapter.prebuffer)
        if self._pump.complete:
            self._environ.setdefault("CONTENT_LENGTH", str(self._pump.got))

    def _queued(self) -> None:
        """No thread is free: watch the client meanwhile, and the clock."""
        if "HTTP_EXPECT" not in self._environ:
            self._timers += (self._port.after(_PATIENCE, self._pump.start),)
        if self._adapter.queue_timeout is not None:
            self._timers += (self._port.after(self._adapter.queue_timeout, self._queue_timeout),)

    def _queue_timeout(self) -> None:
        if self._call.revoke():
            self._out.finish()
            self.abandon(partial(QueueTimeout, f"no thread was free for {self._adapter.queue_timeout} s"))

    async def _relay_rest(self, *, streaming: bool) -> None:
        """Relay what comes after the first piece.

        Args:
            streaming: it has yet to be made; a stream has time to lose its client, and only `receive()` tells.
        """
        out, send, more = self._out, self._send, True
        if streaming:
            self._pump.watch()
        while more:
            body, more = out.taken() or await out.take()
            if not more:
                self._pump.read_on()
            await send({"type": "http.response.body", "body": body, "more_body": more})
            out.credit()
            if more and not streaming:
                streaming = True
                self._pump.watch()

    async def _settled(self, error: Exception) -> bool:
        """Answer for the app where it cannot, and give its thread time to leave.

        Returns False if `error` is for the server to see.
        """
        ours = self._reason is not None or isinstance(error, PoolFull)
        self.abandon(_gone)
        refusal = refusal_of(error) if ours and not self._started else None
        if refusal is not None:
            log.warning("%s %r answered %d: %s", self._method, self._path, refusal.status, error)
            await self._refuse(refusal)
        await self._thread_left()
        return refusal is not None or (ours and isinstance(error, ClientDisconnected))

    def _leave_inner(self) -> None:
        """The exchange has an error of its own to raise: those of the apps inside are for the log."""
        for exchange in self._pump.inner:
            self._port.spawn(exchange.settled())

    async def _refuse(self, refusal: Refusal) -> None:
        async with self._port.timeout(self._adapter.grace):
            head, body = refusal.messages
            await self._send(head)
            self._pump.read_on()
            await self._send(body)

    async def _thread_left(self) -> None:
        try:
            async with self._port.timeout(self._adapter.grace) as timeout:
                await self._out.finished()
        except Exception as error:
            if timeout.expired():
                log.warning(
                    "%s %r is over, but the app has not returned for %.1f s; its thread is left to it",
                    self._method,
                    self._path,
                    self._adapter.grace,
                )
            else:
                log.debug("the app failed after the exchange was over", exc_info=error)


_gone = partial(ClientDisconnected, "the exchange is over: the client left or the response failed")
_over = partial(ClientDisconnected, "the exchange is over: read the body before returning")
