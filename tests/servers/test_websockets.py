"""WebSockets both ways on real servers, with a client nobody here wrote; one server each way here, the rest is slow."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ._sockets import FAST, Cell, serving, url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ._process import Server

pytestmark = pytest.mark.server

ASGI_SERVERS = ["uvicorn", "uvicorn-wsproto", "hypercorn", "hypercorn-trio", "daphne", "granian"]
WSGI_SERVERS = ["gunicorn-gthread", "gunicorn-gevent", "gevent", "werkzeug"]
ALL = [Cell(server, app) for server in ASGI_SERVERS for app in ("flask_sock", "simple_websocket")]
ALL += [Cell(server, app) for server in WSGI_SERVERS for app in ("starlette", "fastapi", "quart", "litestar")]
CELLS = [cell.param(*([] if cell in FAST else [pytest.mark.slow])) for cell in ALL]


# What a WebSocket does; each check begins with one that is just open, and may leave it as it likes


def echoes(ws: Any, server: Server, cell: Cell) -> None:
    empty = [] if cell.knows_no_empty_messages else ["", b""]
    for message in ("hällo", b"\x00\xff", *empty, "x" * 70_000, b"y" * 1_048_576):
        ws.send(message)
        assert ws.recv(timeout=10) == message
    ws.send(["in ", "three ", "pieces"])
    assert ws.recv(timeout=10) == "in three pieces"
    assert ws.ping().wait(10)


def tells_how_the_client_closed(ws: Any, server: Server, cell: Cell) -> None:
    ws.close(4002, "done here")
    server.logged("[app] closed with" if cell.hides_codes else "[app] closed with 4002")


def closes_as_the_app_says(ws: Any, server: Server, cell: Cell) -> None:
    ws.send("close")
    assert closed(ws) == (4001, "" if cell.hides_reasons else "bye")


def closes_with_1011_when_the_app_fails(ws: Any, server: Server, cell: Cell) -> None:
    ws.send("boom")
    assert closed(ws)[0] == cell.failure
    if cell.failure == 1011:  # Litestar logs it only where it is told to
        server.logged("boom, as asked")


def notices_a_client_that_vanishes(ws: Any, server: Server, cell: Cell) -> None:
    before = server.log().count("[app] closed with")
    ws.socket.shutdown(socket.SHUT_RDWR)
    server.logged("[app] closed with")
    assert server.log().count("[app] closed with") >= before


CHECKS: list[Callable[[Any, Server, Cell], None]] = [
    notices_a_client_that_vanishes,
    echoes,
    closes_as_the_app_says,
    closes_with_1011_when_the_app_fails,
    tells_how_the_client_closed,
]


def closed(ws: Any) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as ended:
        ws.recv(timeout=10)
    assert ended.value.rcvd is not None, "cut without a Close"
    return ended.value.rcvd.code, ended.value.rcvd.reason


@pytest.mark.parametrize("cell", CELLS)
def test_websockets(cell: Cell, tmp_path: Path) -> None:
    with serving(cell, tmp_path) as server:
        for check in CHECKS:
            with connect(url(server), subprotocols=["superchat", "chat"]) as ws:  # type: ignore[list-item]
                assert ws.subprotocol == "chat"
                check(ws, server, cell)
        with pytest.raises(InvalidStatus) as denied:
            connect(url(server) + "/nowhere")
        assert denied.value.response.status_code in (403, 404)
        asyncio.run(many(url(server), 20))
        assert server.get("/hello").status == 200
        with connect(url(server)) as ws:  # open when the server is told to stop
            ws.send("hello")
            assert ws.recv(timeout=10) == "hello"
            if cell.leaves_a_traceback:
                ws.close()
            server.terminate()
            server.wait()


async def many(address: str, number: int) -> None:
    """So many at once, each of which gets its own messages back."""

    async def one(name: int) -> None:
        async with connect_async(address) as ws:
            for turn in range(10):
                await ws.send(f"{name}.{turn}")
                assert await asyncio.wait_for(ws.recv(), 30) == f"{name}.{turn}"

    await asyncio.gather(*map(one, range(number)))


@pytest.mark.slow
@pytest.mark.parametrize("cell", [cell.param() for cell in FAST])
def test_two_hundred_idle_sockets_disturb_nobody_and_leave_nothing(cell: Cell, tmp_path: Path) -> None:
    async def idle(server: Server) -> float:
        async with asyncio.timeout(60):
            sockets = [await connect_async(url(server), ping_interval=None) for _ in range(200)]
            for ws in sockets:
                await ws.send("hello")
                assert await ws.recv() == "hello"
            before = sum(worker(server).cpu_times()[:2])
            await asyncio.sleep(2)  # what is measured is what nothing costs
            used = sum(worker(server).cpu_times()[:2]) - before
            await sockets[100].send("still here")
            assert await sockets[100].recv() == "still here"
            await asyncio.gather(*(ws.close() for ws in sockets))
        return used

    def worker(server: Server) -> Any:
        import psutil

        process = psutil.Process(server.process.pid)
        return (process.children() or [process])[0]

    from ._process import until

    with serving(cell, tmp_path) as server:
        assert server.get("/hello").status == 200
        at_first = worker(server).num_fds()
        assert asyncio.run(idle(server)) < 0.2
        until(lambda: worker(server).num_fds() <= at_first + 5, "the sockets are closed")
        assert server.get("/hello").status == 200
