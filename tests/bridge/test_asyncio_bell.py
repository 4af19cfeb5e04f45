"""`AsyncioBell`: coroutines wait for a ring; whoever is cancelled meanwhile is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from anysgi._bridge._asyncio import AsyncioBell, AsyncioPort

from ._sides import soon, waiting

pytestmark = pytest.mark.anyio


def new() -> AsyncioBell:
    return AsyncioPort(asyncio.get_running_loop()).bell()


async def test_a_ring_wakes_everyone_who_waits() -> None:
    bell = new()
    tasks = [await waiting(bell.wait()) for _ in range(3)]
    bell.ring()
    await soon(asyncio.gather(*tasks))


async def test_a_ring_wakes_nobody_who_comes_later() -> None:
    bell = new()
    bell.ring()
    task = await waiting(bell.wait())
    bell.ring()
    await soon(task)


async def test_a_cancelled_waiter_is_forgotten_and_the_others_are_not() -> None:
    bell = new()
    gone, stays = await waiting(bell.wait()), await waiting(bell.wait())
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(gone)
    assert len(bell._waiters) == 1
    bell.ring()
    await soon(stays)


async def test_a_ring_and_a_cancellation_in_one_turn() -> None:
    """In either order: the ring finds a waiter that is over, or the waiter finds itself forgotten."""
    for first, second in (("ring", "cancel"), ("cancel", "ring")):
        bell = new()
        task, other = await waiting(bell.wait()), await waiting(bell.wait())
        do = {"ring": bell.ring, "cancel": task.cancel}
        do[first]()
        do[second]()
        with pytest.raises(asyncio.CancelledError):
            await soon(task)
        await soon(other)
        assert bell._waiters == []
