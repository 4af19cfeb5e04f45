"""`timeout`: nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from anysgi.exceptions import RequestTimeout
from anysgi.middleware import Stack, cors, errors, timeout

from ._driving import App, Drive


def waits(seconds: float) -> Any:
    """What an app does while it is late; the clock is the point, so it is really waited for."""

    def wait() -> None:
        threading.Event().wait(seconds)

    return wait


class Late(App):
    """An app whose head is late."""

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        threading.Event().wait(0.05)
        return super().wsgi(environ, start_response)

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(10)
        await super().asgi(scope, receive, send)


def test_a_head_that_is_late_is_answered_504(drive: Drive) -> None:
    answer = drive(timeout(head=0.01), Late(b"too late"))
    assert (answer.status, answer.error, answer.complete) == (504, None, True)
    assert b"too late" not in answer.body


def test_one_that_comes_in_time_is_left_alone(drive: Drive) -> None:
    for options in ({}, {"head": None}, {"head": 10.0, "idle": 10.0}):
        assert drive(timeout(**options), App(b"one", b"two", shape="stream")).body == b"onetwo"


def test_a_stream_that_stalls_is_cut_and_does_not_look_whole(drive: Drive) -> None:
    app = App(b"one", waits(0.05), b"two", shape="stream") if drive.convention == "wsgi" else _stalls
    answer = drive(timeout(idle=0.01), app)
    assert (answer.status, answer.complete) == (200, False)
    assert isinstance(answer.error, RequestTimeout)


async def _stalls(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await asyncio.sleep(10)


def test_a_page_can_read_that_it_was_late(drive: Drive) -> None:
    stack = Stack(cors(origins="https://a.com"), timeout(head=0.01), errors())
    answer = drive(stack, Late(b"x"), headers={"Origin": "https://a.com"})
    assert (answer.status, answer.header("access-control-allow-origin")) == (504, "https://a.com")


@pytest.mark.parametrize("options", [{"head": 0}, {"idle": -1}])
def test_a_limit_that_is_none_is_an_error_when_the_stack_is_built(options: Any) -> None:
    with pytest.raises(ValueError, match="write a positive number"):
        timeout(**options)


def test_an_app_finds_the_moment_to_hand_on(drive: Drive) -> None:
    app, before = App(b"x"), time.monotonic()
    drive(timeout(head=30), app)
    assert before + 30 <= app.request["anysgi.deadline"] <= time.monotonic() + 30
    drive(timeout(head=None, idle=1), app)
    assert "anysgi.deadline" not in app.request
