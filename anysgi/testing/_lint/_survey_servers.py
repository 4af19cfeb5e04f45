"""Servers of a survey that no scenario describes: they do what a spec allows, and hardly anybody does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from ._asgi import LintASGI


# What an app may raise where a survey does not mind; the last two would end the loop the survey runs on.
RAISED = (Exception, SystemExit, KeyboardInterrupt)


async def with_an_unknown_scope(lint: LintASGI, bound: float) -> None:
    async def silence(*_: object) -> dict[str, Any]:
        return {"type": "anysgi.nothing"}

    with anyio.move_on_after(bound):
        try:
            await lint({"type": "anysgi.unknown", "asgi": {"version": "3.0"}}, silence, silence)
        except RAISED:
            pass  # as the spec asks for


def with_unknown_keys(app: Any) -> Any:
    async def layer(scope: Any, receive: Any, send: Any) -> None:
        async def more() -> Any:
            return {**await receive(), "anysgi.unknown": 1}

        await app(scope, more, send)

    return layer


def with_a_client_that_waits(app: Any) -> Any:
    """A server that holds the head until the first body, as it may, and a client that sends on once it has the head."""

    async def layer(scope: Any, receive: Any, send: Any) -> None:
        started, sent = False, anyio.Event()

        async def patient() -> Any:
            if started:
                await sent.wait()
            return await receive()

        async def holding(message: Any) -> None:
            nonlocal started
            await send(message)
            if message["type"] == "http.response.start":
                started = True
            else:
                sent.set()

        await app(scope, patient, holding)

    return layer
