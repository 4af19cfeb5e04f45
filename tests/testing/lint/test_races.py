"""What an app cannot know yet is no mistake: a send as the disconnect arrives, an end that was forced on it."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
import trio

from anysgi.testing import Disconnect, LintASGI, Scenario, arun

LEAVES = Scenario(peer=[Disconnect(after_messages=1)], like="uvicorn")


def streams_until_told(more: int) -> Any:
    """Another task than the one that streams hears of the disconnect, and that many chunks too late."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        told, sent = asyncio.Event(), asyncio.Event()

        async def listens() -> None:
            await receive()
            told.set()
            await sent.wait()

        async def streams() -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await told.wait()
            for _ in range(more):
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
            sent.set()

        await asyncio.gather(listens(), streams())

    return app


async def rules(app: Any, scenario: Scenario) -> set[str]:
    lint = LintASGI(app, on="collect")
    await arun(lint, scenario)
    return {finding.rule.id for finding in lint.findings}


@pytest.mark.parametrize("more", [0, 1, 3])
def test_messages_may_be_on_their_way_as_another_task_hears_of_the_disconnect(more: int) -> None:
    assert asyncio.run(rules(streams_until_told(more), LEAVES)) == set()


def test_a_task_that_streams_on_while_another_heard_of_the_disconnect_long_ago_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("anysgi.testing._lint._asgi_http.monotonic", itertools.count().__next__)
    assert asyncio.run(rules(streams_until_told(1), LEAVES)) == {"A086"}


async def hears_and_sends(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await receive()
    await send({"type": "http.response.body", "body": b"x", "more_body": True})


@pytest.mark.parametrize("loop", [asyncio, trio])
def test_who_heard_of_the_disconnect_may_send_nothing_more(loop: Any) -> None:
    found = asyncio.run(rules(hears_and_sends, LEAVES)) if loop is asyncio else trio.run(rules, hears_and_sends, LEAVES)
    assert found == {"A086"}


def lifespan(*steps: str, cancel: bool) -> set[str]:
    """What is found of an app that waits for its shutdown, is cancelled or not, and says something all the same."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        try:
            if cancel:
                await receive()
        finally:
            for step in steps:
                await send({"type": step})

    async def main() -> set[str]:
        events = asyncio.Queue[Any]()
        events.put_nowait({"type": "lifespan.startup"})

        async def send(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                started.set()

        started = asyncio.Event()
        lint = LintASGI(app, on="collect")
        task = asyncio.create_task(lint({"type": "lifespan", "asgi": {"version": "3.0"}}, events.get, send))
        await started.wait()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return {finding.rule.id for finding in lint.findings}

    return asyncio.run(main())


def test_an_app_whose_wait_for_the_shutdown_is_cancelled_may_say_that_it_failed() -> None:
    assert lifespan("lifespan.shutdown.failed", cancel=True) == set()
    assert lifespan("lifespan.shutdown.complete", cancel=True) == {"A114"}
    assert lifespan("lifespan.shutdown.failed", cancel=False) == {"A114"}


def test_a_reason_that_an_old_server_passes_over_is_worth_a_hint_only() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000, "reason": "bye"})

    async def connect() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None: ...

    lint = LintASGI(app, on="collect")
    scope = {"type": "websocket", "asgi": {"version": "3.0"}, "path": "/", "query_string": b"", "headers": []}
    asyncio.run(lint(scope, connect, send))
    assert [(finding.rule.id, finding.severity) for finding in lint.findings] == [("A100", "lint")]
