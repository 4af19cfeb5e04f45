"""For each rule that `check_asgi_server` decides: a server that breaks it, and a legal one that comes close.

They are uvicorn, and hypercorn for HTTP/2, on a thread, with a habit put between the server and its app.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import uvicorn

from anysgi.testing import ServedApp

Serve = Callable[[Any], AbstractContextManager[ServedApp]]
Habit = Callable[[Any, Any, Any, Any], Any]  # app, scope, receive, send
STARTED_IN = 10.0


class Lines(logging.Handler):
    """What a server logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname}: {self.format(record)}")

    def text(self) -> str:
        return "\n".join(self.lines)


@contextmanager
def log_of(name: str) -> Iterator[Lines]:
    logger, lines = logging.getLogger(name), Lines()
    logger.addHandler(lines)
    try:
        yield lines
    finally:
        logger.removeHandler(lines)


# --- ASGI: uvicorn, and hypercorn for HTTP/2


class Uvicorn(uvicorn.Server):
    """Tells when it has started, or has given up; looks for its end every 5 ms, not every 100."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.decided = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.decided.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            await asyncio.sleep(0.005)

    def run(self, sockets: Any = None) -> None:
        try:
            super().run(sockets)
        except SystemExit:  # how it gives up
            self.decided.set()


@contextmanager
def by_uvicorn(app: Any, habit: Habit | None = None, lifespan: Any = "auto") -> Iterator[ServedApp]:
    served = app if habit is None else behaving(habit, app)
    config = uvicorn.Config(
        served, port=0, lifespan=lifespan, log_config=None, access_log=False, ws="websockets-sansio"
    )
    server = Uvicorn(config)
    thread = threading.Thread(target=server.run)
    with log_of("uvicorn.error") as log:
        thread.start()
        try:
            assert server.decided.wait(STARTED_IN)
            if not server.started:
                raise ConnectionError(log.text())
            yield ServedApp(server.servers[0].sockets[0].getsockname()[1], log=log.text)
        finally:
            server.should_exit = True
            thread.join()


def behaving(habit: Habit, app: Any) -> Any:
    async def layer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        return await habit(app, scope, receive, send)

    return layer


@contextmanager
def by_hypercorn(app: Any, habit: Habit | None = None) -> Iterator[ServedApp]:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config, Sockets

    listener = socket.create_server(("127.0.0.1", 0))
    config = Config()
    config.create_sockets = lambda: Sockets([], [listener], [])  # type: ignore[method-assign]  # ours, bound already
    loop, over = asyncio.new_event_loop(), asyncio.Event()
    served: Any = app if habit is None else behaving(habit, app)
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(serve(served, config, shutdown_trigger=over.wait))  # type: ignore[arg-type]  # Event.wait is what its docs pass
    )
    thread.start()
    try:
        yield ServedApp(listener.getsockname()[1])
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
        listener.close()


# habits of ASGI servers


def with_scope(change: Callable[[Any], dict[str, Any]]) -> Habit:
    """Gives its apps other scopes."""

    async def habit(app: Any, scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, **change(scope)}, receive, send)

    return habit


def with_messages(change: Callable[[Any], Any]) -> Habit:
    """Changes what its apps send."""

    async def habit(app: Any, scope: Any, receive: Any, send: Any) -> None:
        async def changing(message: Any) -> None:
            await send(change(message))

        await app(scope, receive, changing)

    return habit


def headers_sorted(message: Any) -> Any:
    return {**message, "headers": sorted(message["headers"])} if "headers" in message else message


def headers_spelt_anew(message: Any) -> Any:
    """Capitalised, and behind one of the server's own."""
    if "headers" not in message:
        return message
    return {
        **message,
        "headers": [(b"via", b"1.1 probe"), *((name.title(), value) for name, value in message["headers"])],
    }


async def ends_broken_bodies_well(app: Any, scope: Any, receive: Any, send: Any) -> None:
    try:
        await app(scope, receive, send)
    except LookupError:
        await send({"type": "http.response.body"})


async def answers_500_itself(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """An app that failed before its head still has an answer."""
    sent: list[Any] = []

    async def noting(message: Any) -> None:
        sent.append(message)
        await send(message)

    try:
        await app(scope, receive, noting)
    except LookupError:
        if sent:
            raise
        await send({"type": "http.response.start", "status": 500, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"an error page of the server's own"})


async def keeps_bodies_to_the_end(app: Any, scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return await app(scope, receive, send)
    kept: list[Any] = []

    async def keeping(message: Any) -> None:
        kept.append(message)
        if not message.get("more_body", False) and message["type"] == "http.response.body":
            for each in kept:
                await send(each)

    return await app(scope, receive, keeping)


async def keeps_the_head_for_the_body(app: Any, scope: Any, receive: Any, send: Any) -> None:
    kept: list[Any] = []

    async def keeping(message: Any) -> None:
        kept.append(message)
        if message["type"] != "http.response.start":
            for each in kept:
                await send(each)
            kept.clear()

    await app(scope, receive, keeping)


def fails_on_a_closed_connection(tells: Callable[[str], None]) -> Habit:
    """uvicorn says nothing in `send()`: this one looks for the disconnect itself, and raises."""

    async def habit(app: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        left = asyncio.Event()

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        async def failing(message: Any) -> None:
            if left.is_set():
                raise ConnectionResetError("the client left")
            await send(message)
            await asyncio.sleep(0)

        task = asyncio.create_task(watch())
        try:
            await app(scope, receive, failing)
        except ConnectionResetError:
            tells("the client left")
        finally:
            task.cancel()
        return None

    return habit


async def hands_fragments_on(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Splits what came whole again, which is what a server does that passes each frame on."""
    waiting: list[Any] = []

    async def splitting() -> Any:
        if not waiting:
            event = await receive()
            text = event.get("text") or ""
            waiting.extend([{**event, "text": text[:2]}, {**event, "text": text[2:]}] if len(text) > 2 else [event])
        return waiting.pop(0)

    await app(scope, splitting, send)


async def leaves_the_other_key_out(app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def pruned() -> Any:
        return {key: value for key, value in (await receive()).items() if value is not None}

    await app(scope, pruned, send)


async def accepts_before_it_closes(app: Any, scope: Any, receive: Any, send: Any) -> None:
    accepted = False

    async def accepting(message: Any) -> None:
        nonlocal accepted
        if message["type"] == "websocket.close" and not accepted:
            await send({"type": "websocket.accept"})
        accepted = True
        await send(message)

    await app(scope, receive, accepting)


async def refuses_with_a_page(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """The 403 has a body."""

    async def refusing(message: Any) -> None:
        if message["type"] != "websocket.close":
            return await send(message)
        await send({"type": "websocket.http.response.start", "status": 403, "headers": [(b"x-probe", b"1")]})
        return await send({"type": "websocket.http.response.body", "body": b"not today"})

    await app(scope, receive, refusing)


def pushed_host(*headers: tuple[bytes, bytes]) -> Callable[[Any], dict[str, Any]]:
    """Other headers for what is pushed."""

    def change(scope: Any) -> dict[str, Any]:
        return {"headers": list(headers)} if scope["path"] == "/pushed" else {}

    return change


def joins_repeated(scope: Any) -> dict[str, Any]:
    return {"headers": list(dict(scope["headers"]).items())}


def adds_its_own(scope: Any) -> dict[str, Any]:
    return {"headers": [(b"x-forwarded-for", b"127.0.0.1"), *scope["headers"], (b"via", b"1.1 probe")]}


uvicorn_with = lambda habit, **options: partial(by_uvicorn, habit=habit, **options)  # noqa: E731
quiet, loud = (lambda text: None), logging.getLogger("uvicorn.error").error
HOST = (b"host", b"probe.example")

PAIRS: dict[str, tuple[Serve, Serve]] = {
    "A012": (partial(by_uvicorn, lifespan="on"), partial(by_uvicorn, lifespan="off")),
    "A112": (partial(by_uvicorn, lifespan="on"), partial(by_uvicorn, lifespan="auto")),
    "A023": (uvicorn_with(ends_broken_bodies_well), uvicorn_with(answers_500_itself)),
    "A042": (uvicorn_with(with_scope(joins_repeated)), uvicorn_with(with_scope(adds_its_own))),
    "A069": (
        uvicorn_with(with_messages(headers_sorted)),
        uvicorn_with(with_messages(headers_spelt_anew)),
    ),
    "A076": (uvicorn_with(keeps_bodies_to_the_end), uvicorn_with(keeps_the_head_for_the_body)),
    "A085": (uvicorn_with(fails_on_a_closed_connection(loud)), uvicorn_with(fails_on_a_closed_connection(quiet))),
    "A097": (uvicorn_with(hands_fragments_on), uvicorn_with(leaves_the_other_key_out)),
    "A101": (uvicorn_with(accepts_before_it_closes), uvicorn_with(refuses_with_a_page)),
    "A122": (
        partial(by_hypercorn, habit=with_scope(pushed_host())),
        partial(by_hypercorn, habit=with_scope(pushed_host(HOST, (b"x-pushed", b"1")))),
    ),
}
