"""How the checks from ASGI to WSGI run an app inside of an adapter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .._exchange import Exchange
from .._run import run
from .._scenario import Scenario
from ._check import BOUND, Make, expect, made


def exchange(make: Make, app: Any, scenario: Scenario | None = None) -> Exchange:
    """Run an app inside of the adapter."""
    with made(make, http_only(app)) as adapter:
        return run(adapter, scenario, convention="wsgi", bound=BOUND)


def answered(make: Make, app: Any, scenario: Scenario | None = None) -> Exchange:
    """The same, with a response that came to its end."""
    found = exchange(make, app, scenario)
    expect(found.exception is None, f"raises {found.exception!r}")
    expect(found.complete, "the response has no end")
    return found


def http_only(app: Any) -> Callable[..., Awaitable[None]]:
    """An app that has no lifespan, and says so as the specification wants."""

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']} here")
        await app(scope, receive, send)

    return outer


async def respond(send: Any, body: bytes = b"x") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def whole(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionAbortedError(message["type"])
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


class Echo:
    """Sends the request body back; keeps the scope."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.outcome: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = dict(scope)
        try:
            body = await whole(receive)
        except ConnectionAbortedError as error:
            self.outcome.append(str(error))
            raise
        await respond(send, body)
