"""`AsyncioBell`: coroutines wait for a ring; whoever is cancelled meanwhile is forgotten."""

from __future__ import annotations

import asyncio
from contextvars import copy_context

import pytest

from anysgi._bridge import _asyncio_bell as asyncio_bell
from anysgi._bridge._asyncio import AsyncioPort
from anysgi._bridge._asyncio_bell import AsyncioBell

from ._sides import soon, waiting

pytestmark = pytest.mark.anyio


def new() -> AsyncioBell:
    return AsyncioPort(asyncio.get_running_loop()).bell()


async def wait(bell: AsyncioBell) -> None:
    await bell.wait()


async def test_a_ring_wakes_everyone_who_waits() -> None:
    bell = new()
    tasks = [await waiting(wait(bell)) for _ in range(3)]
    bell.ring()
    await soon(asyncio.gather(*tasks))


async def test_a_ring_wakes_nobody_who_comes_later() -> None:
    bell = new()
    bell.ring()
    task = await waiting(wait(bell))
    bell.ring()
    await soon(task)


async def test_a_cancelled_waiter_is_forgotten_and_the_others_are_not() -> None:
    bell = new()
    gone, stays = await waiting(wait(bell)), await waiting(wait(bell))
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(gone)
    assert len(bell._waits) == 1
    bell.ring()
    await soon(stays)


async def test_a_ring_and_a_cancellation_in_one_turn() -> None:
    """In either order: the ring finds a waiter that is over, or the waiter finds itself forgotten."""
    for first, second in (("ring", "cancel"), ("cancel", "ring")):
        bell = new()
        task, other = await waiting(wait(bell)), await waiting(wait(bell))
        do = {"ring": bell.ring, "cancel": task.cancel}
        do[first]()
        do[second]()
        with pytest.raises(asyncio.CancelledError):
            await soon(task)
        await soon(other)
        assert bell._waits == []


async def test_a_ring_outside_any_task_resumes_a_lone_waiter_on_the_spot() -> None:
    bell, loop, order = new(), asyncio.get_running_loop(), []

    async def wait() -> None:
        await bell.wait()
        order.append("resumed")

    def ring() -> None:
        bell.ring()
        order.append("rung")

    task = await waiting(wait())
    loop.call_soon(ring)
    await soon(task)
    assert order == ["resumed", "rung"]


async def test_a_ring_inside_a_task_resumes_nobody_before_its_step_is_over() -> None:
    bell = new()
    task = await waiting(wait(bell))
    bell.ring()
    assert not task.done()
    await soon(task)


async def test_the_message_of_a_cancellation_reaches_the_waiter() -> None:
    """anyio tells its cancellations from others by it."""
    task = await waiting(wait(new()))
    task.cancel("by whom")
    with pytest.raises(asyncio.CancelledError, match="by whom"):
        await soon(task)


async def test_a_waiter_that_was_thrown_away_is_forgotten() -> None:
    bell = new()
    coroutine = wait(bell)
    coroutine.send(None)
    coroutine.close()
    assert bell._waits == []
    bell.ring()


async def test_a_waiter_that_was_thrown_away_after_a_ring_ends_quietly() -> None:
    """A loop that is closed between the two."""
    bell = new()
    coroutine = wait(bell)
    waiter = coroutine.send(None)
    assert isinstance(waiter, asyncio_bell._Wait)
    waiter.add_done_callback(lambda _: None, context=copy_context())
    bell.ring()
    coroutine.close()
    assert bell._waits == []
