"""Which event loop is running here, and the port that leads into it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._asyncio import AsyncioPort


def running_port() -> AsyncioPort:
    """Return a port into the running loop.

    Raises:
        RuntimeError: no asyncio (or uvloop) loop runs on this thread.
    """
    asyncio = sys.modules.get("asyncio")
    try:
        if asyncio is None:
            raise RuntimeError("asyncio was never imported")
        loop = asyncio.get_running_loop()
    except RuntimeError as error:
        raise RuntimeError(
            "anysgi found no running asyncio event loop; await the adapter inside one, as uvicorn and hypercorn do "
            "(trio is not supported yet)"
        ) from error
    from ._asyncio import AsyncioPort  # here: `import anysgi` must not pay for asyncio

    return AsyncioPort(loop)


async def to_thread(work: Callable[[], object]) -> None:
    """Run a blocking call on a thread of its own and wait for it."""
    import asyncio

    await asyncio.to_thread(work)
