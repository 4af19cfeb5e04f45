"""One ASGI app on one loop: its lifespan, and the requests running there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..exceptions import LifespanError
from ._lifespan_client import LifespanClient

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextvars import Context

    from .._bridge._port import Port, Task
    from ..types import ASGIApp, LifespanMode
    from ._asgi_exchange import AsgiExchange

log = logging.getLogger("anysgi")


class Runtime:
    """Where the app lives.

    Args:
        app: the ASGI app.
        port: the loop it runs on.
        timeout: seconds for running requests and background tasks, then for the lifespan's shutdown.
    """

    def __init__(self, app: ASGIApp, port: Port, timeout: float) -> None:
        self._app = app
        self.port = port
        self._exchanges: set[AsgiExchange] = set()
        self.closed = False  # no more requests may start here
        self._failures: set[AsgiExchange] = set()
        self._timeout = timeout
        self._lifespan: LifespanClient | None = None
        self._closing: Task | None = None  # the loop itself holds tasks weakly

    async def startup(self, mode: LifespanMode, timeout: float, state: dict[str, Any] | None) -> None:
        """Run the lifespan's startup, unless `mode` is `"off"`; on the loop.

        Raises:
            LifespanError: it failed, or took longer than `timeout` seconds; nothing is left running.
        """
        if mode != "off":
            lifespan = LifespanClient(self._app, self.port, required=mode == "on", state=state)
            await lifespan.startup(timeout)
            self._lifespan = lifespan
        self.port.guests.add(self)

    @property
    def state(self) -> dict[str, Any] | None:
        """What the lifespan put into its state; None if the app has no lifespan."""
        return None if self._lifespan is None else self._lifespan.state

    def spawn(self, exchange: AsgiExchange, work: Coroutine[Any, Any, None], context: Context) -> Task:
        """Start a request's task; on the loop."""
        self._exchanges.add(exchange)
        return self.port.spawn(work, context)

    def failed_late(self, exchange: AsgiExchange) -> None:
        """The app raised after its response: to be logged at the end at the latest."""
        self._failures.add(exchange)

    def told(self, exchange: AsgiExchange) -> None:
        """What it raised was logged, or written to `wsgi.errors`."""
        self._failures.discard(exchange)

    def forget(self, exchange: AsgiExchange) -> None:
        """The request's work is done; on the loop."""
        self._exchanges.discard(exchange)

    def close(self) -> None:
        """Let requests and background tasks finish, cancel the rest, shut the lifespan down; blocks.

        Raises:
            LifespanError: the app's shutdown failed.
        """
        if self.port.running:
            self.port.run(self._close())

    def leave(self) -> None:
        """The same at interpreter exit: nobody is left to send the rest of a response to."""
        self.port.run(self._close(server_gone=True))

    async def depart(self) -> None:
        """The same as part of the lifespan of the adapter around it.

        Raises:
            LifespanError: the app's shutdown failed.
        """
        await self._close()

    def release(self) -> None:
        """The same without waiting, for an adapter nobody holds any more."""
        self.port.post(self._release)

    def _release(self) -> None:
        self._closing = self.port.spawn(self._close_quietly())

    async def _close_quietly(self) -> None:
        try:
            await self._close()
        except LifespanError:
            log.exception("an app that is no longer used did not shut down cleanly")

    async def _close(self, *, server_gone: bool = False) -> None:
        self.closed = True
        try:
            for exchange in list(self._exchanges):
                if server_gone or exchange.endless:
                    exchange.shut_down()
            await self.port.drain([e.task for e in self._exchanges if e.task is not None], self._timeout)
            if self._lifespan is not None:
                await self._lifespan.shutdown(self._timeout)
            for exchange in list(self._failures):
                exchange.log_late()
        finally:
            self.port.guests.discard(self)
