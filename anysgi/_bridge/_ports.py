"""Which event loop is running here, and the port that leads into it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._port import Port


def running_port() -> Port:
    """Return a port into the running loop.

    Raises:
        RuntimeError: neither asyncio (or uvloop) nor trio runs on this thread.
    """
    # What is running was imported by somebody: `import anysgi` pays for none of it.
    trio, asyncio = sys.modules.get("trio"), sys.modules.get("asyncio")
    if trio is not None and trio.lowlevel.in_trio_task():
        from ._trio import TrioPort

        return TrioPort(trio.lowlevel.current_trio_token())
    try:
        if asyncio is None:
            raise RuntimeError("asyncio was never imported")
        loop = asyncio.get_running_loop()
    except RuntimeError as error:
        raise RuntimeError(
            "anysgi found no running event loop, neither asyncio's nor trio's; "
            "await the adapter inside one, as uvicorn and hypercorn do"
        ) from error
    from ._asyncio import AsyncioPort

    return AsyncioPort(loop)


async def to_thread(work: Callable[[], object]) -> None:
    """Run a blocking call on a thread of its own and wait for it."""
    await running_port().to_thread(work)
