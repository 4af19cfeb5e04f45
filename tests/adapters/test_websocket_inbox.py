"""The window of a WebSocket's inbox counts bytes, whatever the messages are."""

from __future__ import annotations

import asyncio

import pytest

from anysgi._bridge._asyncio import AsyncioPort
from anysgi.adapters._websocket_inbox import Inbox
from tests.conftest import BOUND


async def taken_before_it_stopped(item: str | bytes, window: int) -> int:
    """How many messages an inbox took before whoever filled it had to wait."""
    inbox = Inbox(AsyncioPort(asyncio.get_running_loop()), window)
    put = 0

    async def fill() -> None:
        nonlocal put
        while True:
            put += 1
            await inbox.put(item)

    filling = asyncio.create_task(fill())
    await asyncio.sleep(0)
    stopped, emptied = put, 0
    while emptied < 2 * stopped:  # what is taken makes as much room as it took
        assert await asyncio.wait_for(inbox.take(), BOUND) == item
        emptied += 1
        await asyncio.sleep(0)
        assert put - emptied <= stopped
    filling.cancel()
    return stopped


@pytest.mark.parametrize(
    "item",
    [b"x" * 100, "x" * 100, "\xe9" * 50, "\u20ac" * 33 + "x", "\U0001f600" * 25],
    ids=["bytes", "ASCII", "two bytes each", "three bytes each", "four bytes each"],
)
def test_a_hundred_bytes_count_as_a_hundred_bytes(item: str | bytes) -> None:
    assert asyncio.run(taken_before_it_stopped(item, 1_000)) == 10
