"""WebSockets both ways on real servers, with a client nobody here wrote; one server each way here, the rest is slow."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ._sockets import FAST, KEY, PROPER, Cell, head, request, serving, url

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


# What no WebSocket client would send

BAD_HANDSHAKES = {
    "another version": ([*PROPER[:3], "sec-websocket-version: 8", KEY], 426),
    "no key": (PROPER[:4], 400),
    "a key that is none": ([*PROPER[:4], "sec-websocket-key: dG9vIHNob3J0"], 400),
}
BAD_FRAMES = {"unmasked": (b"\x81\x02hi", 1002), "no UTF-8": (b"\x81\x82\0\0\0\0\xff\xff", 1007)}
BAD_FRAMES["17 MiB"] = (b"\x82\xff" + (17 << 20).to_bytes(8, "big") + bytes(4) + bytes(17 << 20), 1009)
BAD_FRAMES["HTTP"] = (b"POST / HTTP/1.1\r\nhost: x\r\n\r\n", 1002)


def send_all_it_takes(sock: socket.socket, wire: bytes) -> None:
    try:
        sock.sendall(wire)
    except OSError:  # the server has heard enough
        pass


SOCKETS = [FAST[1].param()]
SOCKETS += [Cell(name, "starlette").param(pytest.mark.slow) for name in ("gunicorn-gevent", "gevent", "werkzeug")]


@pytest.mark.parametrize("cell", SOCKETS)
def test_bad_input_is_answered_as_rfc_6455_says_and_costs_nothing(cell: Cell, tmp_path: Path) -> None:
    with serving(cell, tmp_path) as server:
        for fields, status in BAD_HANDSHAKES.values():
            with request(server, *fields) as sock:
                answer = head(sock)
                assert answer.split()[1] == str(status).encode()
                assert (b"sec-websocket-version: 13" in answer.lower()) == (status == 426)
        for wire, code in BAD_FRAMES.values():
            with request(server, *PROPER) as sock:
                assert head(sock).startswith(b"HTTP/1.1 101 ")
                send_all_it_takes(sock, wire)
                frame = sock.recv(4, socket.MSG_WAITALL)
                assert (frame[0], int.from_bytes(frame[2:], "big")) == (0x88, code)
                while sock.recv(65_536):  # it ends, without an answer of ours
                    pass
        with request(server, *PROPER) as sock:  # frames before the 101, which a server may read with the request
            sock.sendall(b"\x81\x82\0\0\0\0hi")
            head(sock)
        with socket.create_connection(("127.0.0.1", server.port), 10) as sock:  # plain HTTP where a WebSocket lives
            sock.sendall(b"GET /ws HTTP/1.1\r\nhost: x\r\n\r\n")
            assert head(sock).split()[1] == b"404"
        with connect(url(server)) as ws:
            ws.send("still here")
            assert ws.recv(timeout=10) == "still here"


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
