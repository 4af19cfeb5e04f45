"""AsgiToWsgi, what the app raises: a 500 and a traceback in `wsgi.errors`, a cut response, or the exception itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from anysgi import AsgiToWsgi
from anysgi.exceptions import AppProtocolError
from anysgi.testing import run
from tests.conftest import BOUND, eventually

from ._calling import Input, asgi_app, body, fetch, head


def wrap(app: Any, **options: Any) -> AsgiToWsgi:
    return AsgiToWsgi(app, **{"lifespan": "off", **options})


def raising(error: BaseException, *messages: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)
        raise error

    return app


@pytest.mark.parametrize("messages", [[], [head()]], ids=["before the head", "before a byte"])
def test_an_exception_before_the_first_byte_is_a_500_with_a_traceback(messages: Any) -> None:
    failure = LookupError("no such thing")
    peer = fetch(wrap(raising(failure, *messages)))
    assert (peer.status, peer.body) == ("500 Internal Server Error", b"Internal Server Error\n")
    assert "LookupError: no such thing" in peer.errors
    assert "test_asgi_to_wsgi_errors.py" in peer.errors
    assert peer.heads[0][2][1] is failure


def test_an_exception_is_raised_to_middleware_outside_on_request() -> None:
    failure = LookupError("retry me")
    with pytest.raises(LookupError) as caught:
        fetch(wrap(raising(failure), raise_app_errors=True))
    assert caught.value is failure


def test_an_exception_after_the_first_byte_cuts_the_response() -> None:
    failure = LookupError("late")
    found = run(wrap(raising(failure, head(), body(b"begun", more=True))))
    assert found.exception is failure
    assert (found.body, found.complete) == (b"begun", False)


def test_an_exception_after_the_whole_response_leaves_its_traceback_in_wsgi_errors() -> None:
    peer = fetch(wrap(raising(LookupError("afterwards"), head(500), body(b"sorry"))))
    assert (peer.status[:3], peer.body) == ("500", b"sorry")
    assert "LookupError: afterwards" in peer.errors


def test_the_traceback_of_a_starlette_route_is_not_lost() -> None:
    async def broken(request: Any) -> Any:
        raise LookupError("in the route")

    peer = fetch(wrap(Starlette(routes=[Route("/", broken)])))
    assert peer.status.startswith("500")
    assert "in the route" in peer.errors


def test_an_error_that_comes_when_the_server_is_gone_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    gate = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x"))
        await asyncio.to_thread(gate.wait, BOUND)
        raise LookupError("in the background")

    with caplog.at_level(logging.ERROR, "anysgi"):
        peer = fetch(wrap(app))
        gate.set()
        assert eventually(lambda: any("after its response was complete" in r.getMessage() for r in caplog.records))
    assert peer.errors == ""
    logged = next(r for r in caplog.records if "after its response was complete" in r.getMessage())
    assert logged.exc_info is not None
    assert "in the background" in str(logged.exc_info[1])


def test_what_a_head_request_raised_after_its_head_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    gate = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x", more=True))
        await asyncio.to_thread(gate.wait, BOUND)
        raise LookupError("in the body")

    with caplog.at_level(logging.ERROR, "anysgi"):
        fetch(wrap(app), "HEAD")
        gate.set()
        assert eventually(lambda: any(r.exc_info and "in the body" in str(r.exc_info[1]) for r in caplog.records))


def test_what_a_head_request_raises_because_it_was_told_to_stop_is_nobodys_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(head())
            while True:
                await send(body(bytes(1000), more=True))
        finally:
            ended.set()

    with caplog.at_level(logging.DEBUG, "anysgi"):
        assert fetch(wrap(app), "HEAD").errors == ""
        assert ended.wait(BOUND)
        assert eventually(lambda: any("after the exchange was over" in r.getMessage() for r in caplog.records))
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


class NotBytes(Input):
    def read(self, size: int = -1) -> Any:
        return None


def refuse_hints(headers: Any) -> None:
    raise OSError("the socket is broken")


@pytest.mark.parametrize(
    ("first", "environ"),
    [
        ("receive", {"body": NotBytes(), "CONTENT_LENGTH": "5"}),
        ("hint", {"wsgi_early_hints": refuse_hints}),
    ],
    ids=["wsgi.input", "wsgi.early_hints"],
)
def test_an_app_ends_where_it_was_the_server_that_failed(first: str, environ: Any) -> None:
    ended = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            if first == "hint":
                await send({"type": "http.response.early_hint", "links": [b"</a>"]})
            await receive()
            await send(head())
            while True:
                await send(body(bytes(100_000), more=True))
        finally:
            ended.set()

    assert fetch(wrap(app), **environ).status.startswith("500")
    assert ended.wait(BOUND)


@pytest.mark.parametrize(
    ("messages", "hint"),
    [([], "without a response"), ([head()], "before its response was complete")],
    ids=["nothing", "a head"],
)
def test_an_app_that_returns_without_a_response_is_a_500_and_says_what_is_missing(messages: Any, hint: str) -> None:
    peer = fetch(wrap(asgi_app(*messages)))
    assert peer.status.startswith("500")
    assert hint in peer.errors
    assert "http.response.body" in peer.errors


def test_an_app_that_returns_in_the_middle_of_its_body_cuts_the_response() -> None:
    found = run(wrap(asgi_app(head(), body(b"begun", more=True))))
    assert found.body == b"begun"
    with pytest.raises(AppProtocolError, match="before its response was complete"):
        found.raise_for_exception()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_what_would_end_the_process_ends_the_request_and_the_loop_goes_on(error: BaseException) -> None:
    peer = fetch(wrap(raising(error)))
    assert peer.status.startswith("500")
    assert f"the app raised {type(error).__name__}" in peer.errors
    with pytest.raises(AppProtocolError, match="raise an Exception") as caught:
        fetch(wrap(raising(error), raise_app_errors=True))
    assert caught.value.__cause__ is error
    assert fetch(wrap(asgi_app(head(), body(b"fine")))).body == b"fine"


def test_an_app_whose_task_is_cancelled_from_inside_is_a_500() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    peer = fetch(wrap(app))
    assert peer.status.startswith("500")
    assert "cancelled" in peer.errors


def test_a_class_that_misbehaves_in_its_call_is_answered_too() -> None:
    class App:
        def __call__(self, scope: Any, receive: Any, send: Any) -> Any:  # no coroutine comes back
            return None

    peer = fetch(wrap(App()))
    assert peer.status.startswith("500")
