"""One server, two lifespans: both sides are started in order, and stopped in reverse (ASGI spec, "Lifespan").

A legacy side that does not start stops the server, as it would without a router.  A new side that does not start is
taken out: legacy keeps serving everything.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .._bridge._ports import running_port
from ..adapters._lifespan_client import LifespanClient
from ..exceptions import LifespanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import Receive, Send
    from ._sides import SideApp

log = logging.getLogger("anysgi.migration")


class Lifespans:
    """Answers the server's lifespan on behalf of both sides.

    Args:
        sides: legacy first.
        startup_timeout: seconds for each.
        shutdown_timeout: seconds for each.
    """

    def __init__(self, sides: Sequence[SideApp], startup_timeout: float, shutdown_timeout: float) -> None:
        self._sides = sides
        self._startup_timeout = startup_timeout
        self._shutdown_timeout = shutdown_timeout

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve one `lifespan` scope.

        Raises:
            LifespanError: legacy did not start.
        """
        await receive()
        started: list[tuple[SideApp, LifespanClient]] = []
        try:
            for side in self._sides:
                if client := await self._start(side):
                    started.append((side, client))
        except LifespanError as error:
            await self._stop(started)
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        problems = await self._stop(started)
        if problems:
            await send({"type": "lifespan.shutdown.failed", "message": "; ".join(problems)})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def _start(self, side: SideApp) -> LifespanClient | None:
        client = LifespanClient(side.asgi, running_port(), required=False)
        side.down = ""
        try:
            await client.startup(self._startup_timeout)
        except LifespanError as error:
            if side.name == "legacy":
                raise LifespanError(f"{side.name}: {error}") from error
            side.down = str(error)
            log.exception("the new side did not start; legacy serves everything")
            return None
        side.state = client.state
        return client

    async def _stop(self, started: list[tuple[SideApp, LifespanClient]]) -> list[str]:
        problems = []
        for side, client in reversed(started):
            side.state = None
            try:
                await client.shutdown(self._shutdown_timeout)
            except LifespanError as error:
                log.exception("the %s side did not stop in good order", side.name)
                problems.append(f"{side.name}: {error}")
        return problems
