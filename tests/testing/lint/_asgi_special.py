"""The cases that take more than one scope, an odd server or an app with a will of its own."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ._asgi_driver import (
    ACCEPT,
    DOWN,
    DOWN_OK,
    GOOD,
    LEFT,
    REQUEST,
    UP,
    UP_OK,
    Server,
    body,
    plays,
    scope_of,
    start,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._asgi_driver import App, Case, Wrap


async def calls_with_a_proxy(wrap: Wrap) -> None:
    await wrap(GOOD["http"])(MappingProxyType(scope_of("http")), *_ends())


def _ends() -> tuple[Any, Any]:
    server = Server([REQUEST, LEFT])
    return server.receive, server.send


def while_running(second: Callable[[App, dict[str, Any], Any], Any]) -> Case:
    """One request, and a second while the first is running."""

    async def run(wrap: Wrap) -> None:
        scope, ends, nested = scope_of("http"), _ends(), []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if not nested:
                nested.append(True)
                await second(wrapped, scope, ends)
            await GOOD["http"](scope, receive, send)

        wrapped = wrap(app)
        await wrapped(scope, *ends)

    return run


def one_after_the_other(*scopes: dict[str, Any]) -> Case:
    async def run(wrap: Wrap) -> None:
        app = wrap(GOOD["http"])
        for scope in scopes:
            await app(scope, *_ends())

    return run


def around(middleware: Callable[[App], App], app: App = GOOD["http"]) -> Case:
    """The validator on both sides of a middleware."""

    async def run(wrap: Wrap) -> None:
        await wrap(middleware(wrap(app)))(scope_of("http"), *_ends())

    return run


def prefixing(copy: bool, late: bool = False) -> Callable[[App], App]:
    """A middleware that changes the path, on a copy or in the scope it was given; or late."""

    def middleware(app: App) -> App:
        async def layer(scope: Any, receive: Any, send: Any) -> None:
            inner = dict(scope) if copy else scope
            if not late:
                inner["path"], inner["raw_path"] = "/shop", b"/shop"
            await app(inner, receive, send)
            if late:
                inner["user"] = "ann"

        return layer

    return middleware


def with_lifespan(*moves: Any, request: dict[str, Any] | None = None, loops: int = 1) -> Case:
    """A lifespan task beside a request; `moves` of the app in the lifespan, which gets shutdown after the request."""

    async def run(wrap: Wrap) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await (lifespan if scope["type"] == "lifespan" else GOOD["http"])(scope, receive, send)

        started, asked = asyncio.Event(), asyncio.Event()
        lifespan, events = plays(*(moves or (1, UP_OK, started_set, 1, DOWN_OK))), [UP, DOWN]

        async def receive() -> Any:
            if len(events) == 1:
                started.set()
                await asked.wait()
            return events.pop(0)

        async def send(message: Any) -> None:
            started.set()

        wrapped, scope = wrap(app), scope_of("lifespan")
        task = asyncio.ensure_future(wrapped(scope, receive, send))
        await asyncio.wait([task, asyncio.ensure_future(started.wait())], return_when=asyncio.FIRST_COMPLETED)
        shared = {"state": scope["state"]} if request == {"state": "shared"} else {"state": scope["state"].copy()}
        call = partial(wrapped, scope_of("http", **shared), *_ends())
        await (asyncio.to_thread(lambda: asyncio.run(call())) if loops > 1 else call())
        asked.set()
        await task

    return run


def started_set(scope: Any, receive: Any, send: Any) -> None:
    """Nothing: startup was answered, and the test goes on."""


async def cancelled_while_stopping(wrap: Wrap) -> None:
    reached = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await plays(1, UP_OK, 1)(scope, receive, send)
        reached.set()
        await asyncio.Event().wait()

    server = Server([UP, DOWN])
    task = asyncio.ensure_future(wrap(app)(scope_of("lifespan"), server.receive, server.send))
    await reached.wait()
    task.cancel()
    await asyncio.wait([task])


def overlapping(method: str) -> Callable[..., Any]:
    """Two `receive()` or `send()` at a time."""

    async def both(scope: Any, receive: Any, send: Any) -> None:
        one, two = (receive(), receive()) if method == "receive" else (send(body(b"a", True)), send(body(b"b", True)))
        await asyncio.gather(one, two)

    return both


class Slow(Server):
    """Lets others run inside every receive and send."""

    async def receive(self) -> Any:
        await asyncio.sleep(0)
        return await super().receive()

    async def send(self, message: Any) -> None:
        await asyncio.sleep(0)
        await super().send(message)


async def sends_afterwards(wrap: Wrap) -> None:
    kept: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await GOOD["http"](scope, receive, send)
        kept.append(send)

    await wrap(app)(scope_of("http"), *_ends())
    await kept[0](body(b"late"))


async def sends_from_a_task(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.ensure_future(GOOD["http"](scope, receive, send))


def sends_a_buffer(change: bool) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        buffer = bytearray(b"hello")
        await send(start())
        await send(body(buffer, True))
        buffer[:] = b"HELLO" if change else b"hello"
        await send(body())

    return app


def stubborn(scope: Any, receive: Any, send: Any) -> Any:
    """Catches the OSError, and sends on."""

    async def run() -> None:
        for _ in range(2):
            try:
                await send(body(b"x", True))
            except OSError:
                pass

    return run()


async def gives_up(scope: Any, receive: Any, send: Any) -> None:
    try:
        await send(body(b"x", True))
    except OSError:
        return


def sends_a_file(close: bool, **more: Any) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        file = open(os.devnull, "rb")  # noqa: SIM115
        try:
            await send({"type": "http.response.zerocopysend", "file": file, **more})
            if more.get("more_body"):
                await send(body())
        finally:
            if close:
                file.close()
            else:
                OPENED.append(file)

    return app


OPENED: list[Any] = []  # closed by the test


async def returns_something(scope: Any, receive: Any, send: Any) -> object:
    await GOOD["http"](scope, receive, send)
    return "done"


def plain_function(scope: Any, receive: Any, send: Any) -> object:
    return "done"


def with_get(key: str, default: Any) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        (await receive()).get(key, default)
        await plays(start(), body())(scope, receive, send)

    return app


def reads(key: str, events: int = 1) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(events - 1):
            await receive()
            await send(ACCEPT)
        (await receive())[key]

    return app


class NoAwait(Server):
    """Its `send` gives None."""

    def send(self, message: Any) -> Any:  # type: ignore[override]
        self.sent.append(message)


class FutureServer(Server):
    """Its `receive` and `send` give awaitables that are no coroutines, as granian's do."""

    def receive(self) -> Any:
        return asyncio.ensure_future(super().receive())

    def send(self, message: Any) -> Any:
        return asyncio.ensure_future(super().send(message))


def many(*chunks: bytes, end: bool = True) -> list[dict[str, Any]]:
    """Request events with these chunks."""
    events = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    return [*events, REQUEST] if end else [*events, LEFT]


class Opened:
    """What looks like an open file, and needs no closing."""

    closed = True

    def fileno(self) -> int:
        return 0


async def without_receive(wrap: Wrap) -> None:
    await wrap(GOOD["http"])(scope_of("http"), None, Server([REQUEST]).send)


async def receives_afterwards(wrap: Wrap) -> None:
    kept: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await GOOD["http"](scope, receive, send)
        kept.append(receive)

    await wrap(app)(scope_of("http"), *_ends())
    await kept[0]()
