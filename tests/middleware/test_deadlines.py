"""`request.deadline()`: a late head may be answered, a late piece of body cuts the connection."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from anysgi.exceptions import RequestTimeout
from anysgi.middleware import Flow, Outcome, Request, Response, middleware

from ._driving import App, Drive


@middleware
def limit(request: Request, *, head: float | None = None, idle: float | None = None, log: list[Any]) -> Flow:
    request.deadline(head=3600, idle=3600)
    request.deadline(head=head, idle=idle)
    try:
        response: Response = yield request
    except RequestTimeout as error:
        return Response(504, str(error))
    outcome: Outcome = yield response
    log.append((outcome.kind, type(outcome.error)))


def late_app(drive: Drive, before_head: bool) -> Any:
    """An app that never goes on by itself under ASGI, and takes its time under WSGI."""
    if drive.convention == "asgi":

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            if before_head:
                await asyncio.Event().wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
            await asyncio.Event().wait()

        return asgi

    def wsgi(environ: Any, start_response: Any) -> Any:
        pause = threading.Event()
        if before_head:
            pause.wait(0.02)
        start_response("200 OK", [])
        return App(b"a", lambda: (pause.wait(0.02) and b"") or b"late", b"never", shape="stream").wsgi(environ, print)

    return wsgi


def test_an_app_that_is_in_time_is_left_alone(drive: Drive) -> None:
    log: list[Any] = []
    answer = drive(limit(head=60, idle=60, log=log), App(b"a", b"b", shape="stream"))
    assert (answer.status, answer.body, answer.complete) == (200, b"ab", True)
    assert log == [("complete", type(None))]


def test_a_late_head_may_be_answered(drive: Drive) -> None:
    answer = drive(limit(head=0.01, log=[]), late_app(drive, before_head=True))
    assert (answer.status, answer.error) == (504, None)
    assert answer.text == "the app did not respond within 0.01 seconds"


def test_a_late_piece_of_body_is_an_error_to_the_server(drive: Drive) -> None:
    log: list[Any] = []
    answer = drive(limit(idle=0.01, log=log), late_app(drive, before_head=False))
    assert (answer.status, answer.body, answer.complete) == (200, b"a", False)
    assert isinstance(answer.error, RequestTimeout)
    assert log == [("error", RequestTimeout)]


def test_what_an_app_does_after_its_response_has_no_deadline() -> None:
    done: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await App(b"x").asgi(scope, receive, send)
        await asyncio.sleep(0.02)  # timers strike in order: a deadline of 0.01 s would have come first
        done.append(True)

    assert Drive("asgi")(limit(head=0.01, idle=0.01, log=[]), app).complete
    assert done


def test_a_layer_that_only_sets_a_deadline_needs_no_response(drive: Drive) -> None:
    @middleware
    def deadline(request: Request) -> Flow:
        request.deadline(head=0.01)
        return
        yield request

    answer = drive(deadline(), late_app(drive, before_head=True))
    assert isinstance(answer.error, RequestTimeout)
    with pytest.raises(RequestTimeout):
        raise answer.error
