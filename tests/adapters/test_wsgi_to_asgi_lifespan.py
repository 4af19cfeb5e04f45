"""WsgiToAsgi answers the lifespan protocol for an app that has none, runs the user's own, and drains at the end."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from anysgi import WorkerPool, WsgiToAsgi
from tests.conftest import BOUND

from ._driving import comes_true, happens, serve, serving, wsgi_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Server:
    """The lifespan dialog, as a server holds it."""

    def __init__(self, adapter: WsgiToAsgi, state: dict[str, Any] | None = None) -> None:
        self.scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}}
        if state is not None:
            self.scope["state"] = state
        self.adapter = adapter
        self.said: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.orders: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.task = asyncio.create_task(adapter(self.scope, self.orders.get, self.send))

    async def send(self, message: Any) -> None:
        self.said.append(message)
        self.news.set()

    async def order(self, phase: str) -> dict[str, Any]:
        self.news.clear()
        self.orders.put_nowait({"type": f"lifespan.{phase}"})
        await happens(self.news)
        return self.said[-1]

    async def stop(self) -> str:
        await self.order("shutdown")
        await asyncio.wait_for(self.task, BOUND)
        return str(self.said[-1]["type"])


@pytest.mark.anyio
async def test_startup_and_shutdown_are_answered_and_the_threads_end() -> None:
    adapter = WsgiToAsgi(wsgi_app(b"x"), threads=3)
    server = Server(adapter)
    assert await server.order("startup") == {"type": "lifespan.startup.complete"}
    await serve(adapter)
    pool = adapter.pool
    assert pool.stats().threads == 1
    assert await server.stop() == "lifespan.shutdown.complete"
    assert pool.stats().threads == 0
    assert (await serve(adapter)).body == b"x"  # whoever comes later is served by new threads
    assert adapter.pool.threads == 3


@pytest.mark.anyio
async def test_the_state_of_the_users_lifespan_reaches_the_app_as_a_copy() -> None:
    events: list[Any] = []

    @asynccontextmanager
    async def lifespan(owner: Any) -> AsyncIterator[dict[str, Any]]:
        events.append(("start", owner, asyncio.get_running_loop()))
        yield {"db": "connected"}
        events.append(("stop", owner, asyncio.get_running_loop()))

    app = wsgi_app(b"x")
    adapter = WsgiToAsgi(app, lifespan=lifespan)
    server_state: dict[str, Any] = {}
    server = Server(adapter, server_state)
    await server.order("startup")
    assert events == [("start", adapter, asyncio.get_running_loop())]
    assert server_state == {"db": "connected"}
    await serve(adapter)
    app.environ["anysgi.state"]["mine"] = True  # type: ignore[attr-defined]
    await serve(adapter)
    assert app.environ["anysgi.state"] == {"db": "connected"}  # type: ignore[attr-defined]
    assert await server.stop() == "lifespan.shutdown.complete"
    assert [name for name, *_ in events] == ["start", "stop"]


@pytest.mark.anyio
async def test_the_servers_own_state_reaches_the_app_as_well() -> None:
    app = wsgi_app(b"x")
    state = {"from": "the server"}
    await serve(WsgiToAsgi(app), state=state)
    assert app.environ["anysgi.state"] == state  # type: ignore[attr-defined]
    assert app.environ["anysgi.state"] is not state  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_a_lifespan_that_yields_nothing_and_a_server_without_state_are_fine() -> None:
    @asynccontextmanager
    async def nothing(owner: Any) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def something(owner: Any) -> AsyncIterator[dict[str, int]]:
        yield {"a": 1}

    for lifespan in (nothing, something):
        server = Server(WsgiToAsgi(wsgi_app(b"x"), lifespan=lifespan))
        assert (await server.order("startup"))["type"] == "lifespan.startup.complete"
        assert await server.stop() == "lifespan.shutdown.complete"


@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_lifespan_that_fails_says_so_to_the_server_and_in_the_log(
    phase: str, caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def lifespan(owner: Any) -> AsyncIterator[None]:
        if phase == "startup":
            raise LookupError("no database")
        yield
        raise LookupError("no database")

    server = Server(WsgiToAsgi(wsgi_app(b"x"), lifespan=lifespan))
    await server.order("startup")
    if phase == "shutdown":
        await server.order("shutdown")
    with pytest.raises(LookupError, match="no database"):
        await asyncio.wait_for(server.task, BOUND)
    assert server.said[-1] == {"type": f"lifespan.{phase}.failed", "message": "LookupError: no database"}
    assert f"lifespan {phase} failed" in caplog.text


@pytest.mark.anyio
async def test_a_request_in_flight_is_finished_before_shutdown_is_complete() -> None:
    gate, running = threading.Event(), threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        running.set()
        assert gate.wait(BOUND)
        return wsgi_app(b"done")(environ, start_response)

    adapter = WsgiToAsgi(app)
    server = Server(adapter)
    await server.order("startup")
    async with serving(adapter) as request:
        await happens(running)
        pool = adapter.pool
        server.orders.put_nowait({"type": "lifespan.shutdown"})
        await comes_true(lambda: adapter.pool is not pool)  # it drains
        assert len(server.said) == 1
        gate.set()
        await asyncio.wait_for(server.task, BOUND)
    assert (await request).body == b"done"
    assert server.said[-1]["type"] == "lifespan.shutdown.complete"


@pytest.mark.anyio
async def test_a_request_that_does_not_end_is_left_behind_after_the_time_out(caplog: pytest.LogCaptureFixture) -> None:
    gate, running = threading.Event(), threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        running.set()
        assert gate.wait(BOUND)
        return wsgi_app(b"done")(environ, start_response)

    adapter = WsgiToAsgi(app, shutdown_timeout=0.02)
    server = Server(adapter)
    await server.order("startup")
    async with serving(adapter):
        await happens(running)
        assert await server.stop() == "lifespan.shutdown.complete"
        assert "still busy" in caplog.text
        gate.set()


@pytest.mark.anyio
async def test_a_shared_pool_is_not_closed_with_one_of_its_adapters() -> None:
    with WorkerPool(2) as pool:
        first, second = WsgiToAsgi(wsgi_app(b"1"), pool=pool), WsgiToAsgi(wsgi_app(b"2"), pool=pool)
        server = Server(first)
        await server.order("startup")
        await server.stop()
        assert (await serve(second)).body == b"2"
        assert pool.stats().threads == 1
