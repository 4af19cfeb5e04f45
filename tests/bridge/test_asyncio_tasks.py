"""`AsyncioPort`, the verbs of tasks: run soon or later, stop, join, drain, and who is cancelled with whom."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from anysgi._bridge._asyncio import AsyncioPort

from ._sides import Boom, soon, until, waiting

pytestmark = pytest.mark.anyio


def port() -> AsyncioPort:
    return AsyncioPort(asyncio.get_running_loop())


async def test_soon_runs_after_the_step_that_is_running() -> None:
    done = asyncio.Event()
    port().soon(done.set)
    assert not done.is_set()
    await soon(done.wait())


async def test_after_can_be_called_off() -> None:
    done: list[str] = []
    to = port()
    to.after(0, lambda: done.append("called off")).cancel()
    to.after(0, lambda: done.append("late"))
    await until(lambda: bool(done))
    assert done == ["late"]


async def test_a_task_runs_in_the_context_it_is_given() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")
    context = contextvars.copy_context()

    async def work() -> None:
        variable.set("set")

    await soon(port().join(port().spawn(work(), context)))
    assert context[variable] == "set"
    assert variable.get() == ""


async def never() -> None:
    await asyncio.Event().wait()


async def tidy(log: list[str]) -> None:
    try:
        await never()
    finally:
        log.append("tidied up")


async def test_stop_waits_until_the_task_has_tidied_up() -> None:
    log: list[str] = []
    task = await waiting(tidy(log))
    await soon(port().stop(task))
    assert log == ["tidied up"]
    assert task.cancelled()


async def test_stop_drops_the_tasks_own_exception() -> None:
    """Else asyncio would complain that nobody looked at it."""

    async def fail() -> None:
        try:
            await never()
        finally:
            raise Boom

    task = await waiting(fail())
    await soon(port().stop(task))
    assert isinstance(task.exception(), Boom)


async def test_stop_of_a_task_that_has_ended_is_nothing() -> None:
    async def nothing() -> None:
        pass

    task = port().spawn(nothing())
    await soon(port().join(task))
    await soon(port().stop(task))
    assert not task.cancelled()


async def test_whoever_joins_may_be_cancelled_without_the_task() -> None:
    task = await waiting(never())
    joining = await waiting(port().join(task))
    await soon(port().stop(joining))
    assert not task.done()
    await soon(port().stop(task))


async def test_drain_waits_for_tasks_and_cancels_the_rest() -> None:
    log: list[str] = []
    release = asyncio.Event()
    quick, slow = await waiting(release.wait()), await waiting(tidy(log))
    port().soon(release.set)
    await soon(port().drain([quick, slow], 0.05))
    assert quick.result() is True
    assert slow.cancelled()
    assert log == ["tidied up"]


async def test_drain_of_tasks_that_end_in_time_cancels_nobody() -> None:
    release = asyncio.Event()
    task = await waiting(release.wait())
    port().soon(release.set)
    await soon(port().drain([task], 60))
    assert task.result() is True


async def test_drain_of_nothing_is_nothing() -> None:
    await soon(port().drain([], 60))


async def test_timeout_raises_timeout_error() -> None:
    with pytest.raises(TimeoutError):
        async with port().timeout(0):
            await never()
    async with port().timeout(None):
        await asyncio.sleep(0)


async def test_a_checkpoint_lets_others_run_and_a_cancellation_arrive() -> None:
    ran: list[str] = []
    to = port()
    to.soon(lambda: ran.append("another"))
    await soon(to.checkpoint())
    assert ran == ["another"]
    passing = await waiting(to.checkpoint())
    passing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(passing)


async def test_a_task_that_will_not_be_cancelled_is_left_behind_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("anysgi._bridge._asyncio._STUBBORN", 0.01)
    over = asyncio.Event()

    async def stubborn() -> None:
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    to = port()
    task = to.spawn(stubborn())
    await asyncio.sleep(0)
    await soon(to.stop(task))
    assert "would not be cancelled" in caplog.text
    over.set()
    await soon(task)
