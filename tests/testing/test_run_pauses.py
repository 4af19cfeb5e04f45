"""A client's pause passes while an app looks for its body again and again, as a heartbeat does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anysgi.testing import Pause, Scenario, arun, run

PAUSES = Scenario("POST", body=[b"ab", b"cde"], peer=[Pause(before_chunk=1, seconds=100)])


async def beats(scope: Any, receive: Any, send: Any) -> None:
    seen: list[str] = []
    while True:
        try:
            message = await asyncio.wait_for(receive(), 30)
        except TimeoutError:
            seen.append("beat")
            continue
        seen.append(message["body"].decode())
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": " ".join(seen).encode()})


@pytest.mark.parametrize("options", [{}, {"inline": True}, {"skip_sleeps": True}])
def test_a_receive_that_is_given_up_does_not_begin_the_pause_anew(options: dict[str, Any]) -> None:
    assert run(beats, PAUSES, **options).body == b"ab beat beat beat cde"


def test_on_a_loop_whose_time_cannot_be_moved_the_pause_passes_too() -> None:
    found = asyncio.run(arun(beats, PAUSES))
    assert found.body == b"ab cde"
    assert found.duration >= 100
