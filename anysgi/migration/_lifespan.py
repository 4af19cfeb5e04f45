"""Run an ASGI app's lifespan around requests that a tool sends in process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from .._bridge._asyncio import AsyncioPort
from ..adapters._lifespan_client import LifespanClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..types import Convention

_PATIENCE = 30.0  # seconds for startup, and for shutdown


@asynccontextmanager
async def started(app: Any, convention: Convention) -> AsyncIterator[dict[str, Any] | None]:
    """Start an app on the running loop, and stop it when the block ends.

    Args:
        app: the app; a WSGI app has no lifespan.
        convention: what it speaks.

    Yields:
        The lifespan's state for the scopes of its requests; None if there is none.

    Raises:
        LifespanError: the app's startup failed or took too long.
    """
    if convention == "wsgi":
        yield None
        return
    client = LifespanClient(app, AsyncioPort(asyncio.get_running_loop()), required=False)
    await client.startup(_PATIENCE)
    try:
        yield client.state
    finally:
        await client.shutdown(_PATIENCE)
