"""AsgiToWsgi runs the app's lifespan: once, before the first request, on the loop that serves it; failures are loud."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from typing import Any

import pytest

from anysgi import AsgiToWsgi
from anysgi.exceptions import LifespanError
from tests.conftest import BOUND, eventually

from ._calling import body, fetch, head


class App:
    """An ASGI app with a lifespan; `startup` and `shutdown` are the messages it answers with, or what it raises."""

    def __init__(self, startup: Any = "complete", shutdown: Any = "complete") -> None:
        self.answers = {"startup": startup, "shutdown": shutdown}
        self.events: list[str] = []
        self.loops: list[Any] = []
        self.states: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.loops.append(asyncio.get_running_loop())
        if scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
            return
        self.events.append("request")
        self.states.append(scope.get("state"))
        await send(head())
        await send(body(b"x"))

    async def lifespan(self, scope: Any, receive: Any, send: Any) -> None:
        for phase in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{phase}"
            self.events.append(phase)
            scope["state"]["db"] = "connected"
            answer = self.answers[phase]
            if isinstance(answer, BaseException):
                raise answer
            if answer == "for ever":
                await asyncio.Event().wait()
            message = {"type": f"lifespan.{phase}.{answer.partition(':')[0]}"}
            await send({**message, "message": answer.partition(":")[2]} if ":" in answer else message)


async def without(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    without.scope = scope  # type: ignore[attr-defined]
    await send(head())
    await send(body(b"x"))


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_startup_runs_once_before_the_first_request_on_the_same_loop_and_shutdown_once_at_the_end(loop: Any) -> None:
    app = App()
    adapter = AsgiToWsgi(app, loop=loop)
    assert app.events == []  # not when it is wrapped
    assert fetch(adapter).body == fetch(adapter).body == b"x"
    adapter.close()
    adapter.close()
    assert app.events == ["startup", "request", "request", "shutdown"]
    assert len(set(app.loops)) == 1
    assert loop in type(app.loops[0]).__module__ + repr(app.loops[0]) or loop == "asyncio"


def test_first_requests_that_come_at_once_start_it_once() -> None:
    app = App()
    adapter = AsgiToWsgi(app)
    together = threading.Barrier(8)

    def first() -> None:
        together.wait(BOUND)
        fetch(adapter)

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUND)
    adapter.close()
    assert app.events == ["startup", *["request"] * 8, "shutdown"]


def test_a_with_block_starts_it_at_once_and_closes_it_at_the_end() -> None:
    app = App()
    with AsgiToWsgi(app) as adapter:
        assert app.events == ["startup"]
        fetch(adapter)
    assert app.events == ["startup", "request", "shutdown"]


def test_starting_what_has_started_changes_nothing() -> None:
    app = App()
    with AsgiToWsgi(app) as adapter:
        adapter.start()
        assert app.events == ["startup"]


def test_a_request_after_close_starts_anew() -> None:
    app = App()
    adapter = AsgiToWsgi(app)
    for _ in range(2):
        fetch(adapter)
        adapter.close()
    assert app.events == ["startup", "request", "shutdown"] * 2


def test_every_request_has_a_copy_of_the_state() -> None:
    app = App()
    with AsgiToWsgi(app) as adapter:
        fetch(adapter)
        app.states[0]["mine"] = True
        fetch(adapter)
    assert app.states[1] == {"db": "connected"}


@pytest.mark.parametrize("mode", ["auto", "off"])
def test_an_app_without_a_lifespan_is_served_without_a_state(mode: Any) -> None:
    with AsgiToWsgi(without, lifespan=mode) as adapter:
        assert fetch(adapter).body == b"x"
    assert "state" not in without.scope  # type: ignore[attr-defined]


def test_off_never_asks() -> None:
    app = App()
    with AsgiToWsgi(app, lifespan="off") as adapter:
        fetch(adapter)
    assert app.events == ["request"]


def returns_at_once() -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await without(scope, receive, send)

    return app


@pytest.mark.parametrize("app", [without, returns_at_once()], ids=["raises", "returns"])
def test_on_insists(app: Any) -> None:
    with pytest.raises(LifespanError, match="startup failed"):
        fetch(AsgiToWsgi(app, lifespan="on"))
    assert fetch(AsgiToWsgi(app)).body == b"x"


@pytest.mark.parametrize(
    ("answer", "message"),
    [("failed:no database", "no database"), ("failed", "gave no reason"), ("for ever", r"not complete after 0\.05 s")],
)
def test_a_failed_startup_is_raised_at_every_request_and_not_tried_again(answer: str, message: str) -> None:
    app = App(answer)
    adapter = AsgiToWsgi(app, startup_timeout=0.05)
    for _ in range(3):
        with pytest.raises(LifespanError, match=message):
            fetch(adapter)
    assert app.events == ["startup"]
    app.answers["startup"] = "complete"
    adapter.close()  # forgets the failure
    assert fetch(adapter).body == b"x"
    adapter.close()


def test_an_exception_that_follows_startup_failed_is_the_cause() -> None:
    class Starlettish(App):
        async def lifespan(self, scope: Any, receive: Any, send: Any) -> None:
            try:
                await super().lifespan(scope, receive, send)
            finally:
                raise LookupError("the real reason")

    with pytest.raises(LifespanError, match="no database"):
        AsgiToWsgi(Starlettish("failed:no database")).start()


# `task.cancel(); await task` raises the last one, in the lifespans of many.
@pytest.mark.parametrize("error", [LookupError("boom"), SystemExit(3), asyncio.CancelledError("own")], ids=repr)
def test_an_exception_in_startup_means_no_lifespan_unless_it_is_insisted_on(error: BaseException) -> None:
    with AsgiToWsgi(App(error)) as adapter:
        assert fetch(adapter).body == b"x"
    with pytest.raises(LifespanError, match=type(error).__name__) as caught:
        AsgiToWsgi(App(error), lifespan="on").start()
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("failed:disk full", "disk full"),
        (LookupError("boom"), "boom"),
        (asyncio.CancelledError("own"), "awaiting a task that it had cancelled"),
        ("for ever", r"not complete after 0\.05 s"),
    ],
    ids=repr,
)
def test_a_failed_shutdown_is_raised_by_close(answer: Any, message: str) -> None:
    adapter = AsgiToWsgi(App(shutdown=answer), shutdown_timeout=0.05)
    adapter.start()
    with pytest.raises(LifespanError, match=message):
        adapter.close()


def test_an_app_that_returns_at_shutdown_without_a_word_has_stopped() -> None:
    class Quiet(App):
        async def lifespan(self, scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()

    with AsgiToWsgi(Quiet()) as adapter:
        fetch(adapter)


@pytest.mark.parametrize("error", [LookupError("hasty"), asyncio.CancelledError("hasty")], ids=repr)
def test_a_lifespan_that_ends_too_early_is_logged_and_requests_go_on(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    class Hasty(App):
        async def lifespan(self, scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            raise error

    with AsgiToWsgi(Hasty()) as adapter:
        assert fetch(adapter).body == b"x"
        assert eventually(lambda: "ended before shutdown" in caplog.text)


def test_a_message_out_of_turn_raises_in_the_apps_send() -> None:
    class Wrong(App):
        async def lifespan(self, scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.shutdown.complete"})

    with pytest.raises(LifespanError, match="out of turn"):
        AsgiToWsgi(Wrong(), lifespan="on").start()


def test_nothing_follows_shutdown() -> None:
    class Curious(App):
        async def lifespan(self, scope: Any, receive: Any, send: Any) -> None:
            await super().lifespan(scope, receive, send)
            await receive()

    adapter = AsgiToWsgi(Curious(), shutdown_timeout=0.05)
    adapter.start()
    with pytest.raises(LifespanError, match="not complete"):
        adapter.close()


@pytest.mark.parametrize("shutdown", ["complete", "failed:too late"])
def test_an_adapter_nobody_holds_any_more_shuts_its_app_down(shutdown: str, caplog: pytest.LogCaptureFixture) -> None:
    app = App(shutdown=shutdown)
    with caplog.at_level(logging.ERROR, "anysgi"):
        fetch(AsgiToWsgi(app))
        gc.collect()
        assert eventually(lambda: app.events == ["startup", "request", "shutdown"])
        assert shutdown == "complete" or eventually(lambda: "did not shut down cleanly" in caplog.text)
