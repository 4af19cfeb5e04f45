"""`ToLoop`, how it ends: complete, failed, broken from the loop, hung up from the thread, in every order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

import pytest

from anysgi._bridge._asyncio import AsyncioPort
from anysgi._bridge._pieces import LEAST
from anysgi._bridge._to_loop import ToLoop
from tests.conftest import eventually

from ._sides import Boom, Gone, on_thread, result, soon, waiting

pytestmark = pytest.mark.anyio


def new(window: int = 262_144) -> ToLoop:
    return ToLoop(AsyncioPort(asyncio.get_running_loop()), window)


class Late(Exception):
    pass


EVENTS: dict[str, Callable[[ToLoop], None]] = {
    "put": lambda flow: flow.put(b"x"),
    "put last": lambda flow: flow.put(b"x", last=True),
    "end": lambda flow: flow.end(),
    "finish": lambda flow: flow.finish(),
    "fail": lambda flow: flow.finish(Boom()),
    "break": lambda flow: flow.break_(Gone),
    "break again": lambda flow: flow.break_(Late),
}
Outcome: TypeAlias = tuple[bytes, bool] | type[BaseException]

# After these events: what `take` gives, one after another.
TAKES: dict[str, list[Outcome]] = {
    "put, end": [(b"x", False), (b"", False)],
    "put last": [(b"x", False), (b"", False)],
    "put, put last": [(b"xx", False), (b"", False)],
    "end": [(b"", False)],
    "put, end, finish": [(b"x", False)],
    "put, end, fail": [(b"x", False), (b"", False)],
    "finish": [RuntimeError, RuntimeError],
    "put, finish": [(b"x", True), RuntimeError],
    "fail": [Boom, RuntimeError],
    "put, fail": [(b"x", True), Boom],
    "put, put, fail": [(b"xx", True), Boom],
    "break": [Gone, Gone],
    "put, break": [Gone, Gone],
    "put, end, break": [Gone],
    "put, fail, break": [Gone],
    "end, finish, break": [Gone],
    "break, end, finish": [Gone],
    "break, fail": [Gone],
    "break, break again": [Gone],
}


async def outcome(flow: ToLoop) -> Outcome:
    try:
        return await soon(flow.take())
    except Exception as error:
        return type(error)


@pytest.mark.parametrize(("events", "takes"), TAKES.items())
async def test_what_comes_out_after_what_went_in(events: str, takes: list[Outcome]) -> None:
    flow = new()
    for event in events.split(", "):
        EVENTS[event](flow)
    assert flow.ready
    assert [await outcome(flow) for _ in takes] == takes


@pytest.mark.parametrize("event", [e for e in EVENTS if e != "put"])
async def test_whoever_waits_for_bytes_is_woken_by_every_end(event: str) -> None:
    flow = new()
    assert not flow.ready
    taking = await waiting(flow.take())
    if event.startswith("break"):
        EVENTS[event](flow)
    else:
        await result(on_thread(EVENTS[event], flow))
    await soon(asyncio.wait([taking]))
    assert flow.ready
    assert not taking.cancelled()
    taking.exception()


async def test_whoever_waits_for_the_break_is_woken() -> None:
    flow = new()
    watching = await waiting(flow.gone())
    flow.break_(Gone)
    await soon(watching)
    assert flow.broken


# After these events: ended, done, broken, fed.
STATES = {
    "put": (False, False, False, True),
    "put last": (True, False, False, True),
    "end": (True, False, False, True),
    "end, finish": (True, True, False, True),
    "end, fail": (True, True, False, True),
    "finish": (False, True, False, False),
    "fail": (False, True, False, False),
    "put, fail": (False, True, False, True),
    "break": (False, False, True, False),
    "put, break": (False, False, True, False),
    "end, break": (True, False, True, False),
}


@pytest.mark.parametrize(("events", "state"), STATES.items())
async def test_what_a_flow_says_of_itself(events: str, state: tuple[bool, ...]) -> None:
    flow = new()
    assert not any((flow.ended, flow.done, flow.broken, flow.fed))
    for event in events.split(", "):
        EVENTS[event](flow)
    assert (flow.ended, flow.done, flow.broken is not None, flow.fed) == state


@pytest.mark.parametrize("waits", [True, False], ids=["waits", "comes later"])
@pytest.mark.parametrize("event", ["end, finish", "end, fail", "finish", "fail"])
async def test_finished_raises_the_error_left_behind(event: str, waits: bool) -> None:
    flow = new()
    finishing = await waiting(flow.finished()) if waits else None
    for part in event.split(", "):
        EVENTS[part](flow)
    if event.endswith("fail"):
        with pytest.raises(Boom):
            await soon(finishing or flow.finished())
    else:
        await soon(finishing or flow.finished())


async def test_an_error_is_handed_out_once_and_then_let_go() -> None:
    """Its traceback holds the app's frames."""
    flow = new()
    flow.finish(Boom())
    with pytest.raises(Boom):
        await soon(flow.finished())
    await soon(flow.finished())
    assert flow._error is None


async def test_a_blocked_maker_is_told_that_the_taker_is_gone() -> None:
    flow = new(window=2 * LEAST)
    maker = on_thread(lambda: [flow.put(b"x") for _ in range(5)])
    assert eventually(lambda: flow._blocked)
    flow.break_(Gone)
    with pytest.raises(Gone):
        await result(maker)


@pytest.mark.parametrize("window", [1, 1_000])
async def test_a_maker_that_comes_after_the_break_is_told_at_once(window: int) -> None:
    flow = new(window)
    flow.put(b"x" * 900)
    flow.break_(Gone)
    for chunk in (b"", b"x" * 2_000):
        with pytest.raises(Gone):
            await result(on_thread(flow.put, chunk))


async def test_two_who_open_the_gate_at_once_do_not_trip_over_each_other() -> None:
    flow = new()

    class Gate:
        """Looks locked to both; the second to release it is too late."""

        def locked(self) -> bool:
            return True

        def release(self) -> None:
            raise RuntimeError("release unlocked lock")

    flow._gate = Gate()  # type: ignore[assignment]
    flow.break_(Gone)
    assert flow.broken
