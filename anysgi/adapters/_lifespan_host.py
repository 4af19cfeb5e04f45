"""The lifespan protocol on behalf of a WSGI app, which has none (ASGI spec, "Lifespan")."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from .._bridge._ports import to_thread
from ._nesting import inner_adapters

if TYPE_CHECKING:
    from .._bridge._port import Port
    from ..types import Lifespan, Receive, Scope, Send
    from ._wsgi_to_asgi import WsgiToAsgi

log = logging.getLogger("anysgi")


class LifespanHost:
    """Answers startup and shutdown; runs the user's `lifespan=` in between.

    Args:
        adapter: drained at shutdown, and handed to `lifespan`.
        lifespan: see `WsgiToAsgi`.
    """

    def __init__(self, adapter: WsgiToAsgi, lifespan: Lifespan | None) -> None:
        self._adapter = adapter
        self._lifespan = lifespan
        self._state: dict[str, Any] = {}

    def state(self, scope: Scope) -> dict[str, Any]:
        """A request's copy of what `lifespan` yielded, and of the server's own state."""
        return {**self._state, **(scope.get("state") or {})}

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a `lifespan` scope from startup to shutdown; failures are sent, then raised."""
        await receive()
        phase = "startup"
        try:
            async with AsyncExitStack() as stack:
                if self._lifespan is not None:
                    await self._enter(stack, scope, self._lifespan)
                await self._start_inner(stack, scope)
                await send({"type": "lifespan.startup.complete"})
                await receive()
                phase = "shutdown"
                await to_thread(self._adapter.retire())
        except Exception as error:
            log.exception("lifespan %s failed", phase)
            await send({"type": f"lifespan.{phase}.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        finally:
            self._state = {}
        await send({"type": "lifespan.shutdown.complete"})

    async def _enter(self, stack: AsyncExitStack, scope: Scope, lifespan: Lifespan) -> None:
        state = await stack.enter_async_context(lifespan(self._adapter))
        if state:
            self._state = dict(state)
            if "state" in scope:
                scope["state"].update(state)

    async def _start_inner(self, stack: AsyncExitStack, scope: Scope) -> None:
        """Run the lifespan of an ASGI app inside the WSGI app: now if it shows; if not, from its first request on."""
        port = self._adapter.port_here()
        for inner in inner_adapters(self._adapter.app):
            await inner.homes.start_here(port, scope.get("state"))
        stack.push_async_callback(_see_off, port)


async def _see_off(port: Port) -> None:
    async with AsyncExitStack() as stack:
        for guest in list(port.guests):
            stack.push_async_callback(guest.depart)
