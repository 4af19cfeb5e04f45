"""10,000 requests in which clients leave at random points: threads, tasks, descriptors and memory are where they were.

Nine thousand run in this process, against the adapters alone; a thousand go through real servers over raw sockets.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import psutil
import pytest

from anysgi import AsgiToWsgi, WsgiToAsgi

from ._cells import Cell, of
from ._client import Client
from ._doorman import Doorman
from ._process import Server, until
from ._soak import Measure, Plan, asgi_app, measure, memory_is_where_it_was, plans, play_asgi, play_wsgi, wsgi_app

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120)]
THREADS = 8
PROBE = Plan(0, 0, -1, -1, -1, False)
REAL = [
    Cell("uvicorn-httptools", "flask", "w2a", threads=THREADS),
    Cell("gunicorn-gthread", "starlette", "a2w", threads=THREADS),
]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Hundreds of tracebacks are the expected outcome, and pytest would keep every one of them in memory."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_5000_requests_to_a_wsgi_app_leave_nothing_behind() -> None:
    async def crowd(adapter: WsgiToAsgi, work: list[Plan]) -> None:
        waiting = iter(work)

        async def one_of_many() -> None:
            for plan in waiting:
                await play_asgi(adapter, plan)

        async with asyncio.TaskGroup() as group:
            for _ in range(32):
                group.create_task(one_of_many())

    async def scenario() -> None:
        adapter = WsgiToAsgi(wsgi_app, threads=THREADS)

        async def round_of_requests(seed: int) -> Measure:
            await crowd(adapter, plans(seed, 1000))
            until(lambda: adapter.pool.stats().busy == 0, "all threads of the pool are idle again")
            return measure()

        before = [await round_of_requests(seed) for seed in range(2)]
        after = [await round_of_requests(seed) for seed in range(2, 5)]
        assert adapter.pool.stats().queued == 0
        assert adapter.pool.stats().threads <= THREADS
        assert len(asyncio.all_tasks()) == 1
        assert {moment.descriptors for moment in (*before, *after)} == {before[0].descriptors}
        assert after[-1].threads <= before[-1].threads
        assert memory_is_where_it_was(before, after)
        adapter.pool.close(5)

    asyncio.run(scenario())


def test_4000_requests_to_an_asgi_app_leave_nothing_behind() -> None:
    with closing(AsgiToWsgi(asgi_app, lifespan="off", grace=0.05)) as adapter:

        def tasks() -> int:
            return int(play_wsgi(adapter, PROBE))

        alone = tasks()
        with ThreadPoolExecutor(THREADS) as crowd:

            def round_of_requests(seed: int) -> Measure:
                list(crowd.map(lambda plan: play_wsgi(adapter, plan), plans(10 + seed, 1000)))
                until(lambda: tasks() <= alone, "no task outlives its request")
                return measure()

            before = [round_of_requests(seed) for seed in range(2)]
            after = [round_of_requests(seed) for seed in range(2, 4)]
        assert {moment.descriptors for moment in (*before, *after)} == {before[0].descriptors}
        assert after[-1].threads <= before[-1].threads
        assert memory_is_where_it_was(before, after)


def visit(server: Server, chance: random.Random) -> None:
    """One client, which stays to the end or leaves at a point it picks, politely or not."""
    deeds = (whole_exchange, leave_a_download, leave_an_upload, leave_an_endless_stream, leave_at_once)
    with server.client() as client:
        deed = chance.choices(deeds, (3, 3, 2, 2, 1))[0]
        with suppress(ConnectionError):
            deed(client, chance)
        if deed is not whole_exchange and chance.random() < 0.5:
            client.reset()


def whole_exchange(client: Client, chance: random.Random) -> None:
    body = bytes(chance.randrange(200_000))
    assert client.post("/echo", body).body == body


def leave_a_download(client: Client, chance: random.Random) -> None:
    client.request("GET", "/download?size=2000000" + chance.choice(["", "&chunked=1"]))
    read_some(client, chance)


def leave_an_endless_stream(client: Client, chance: random.Random) -> None:
    client.request("GET", chance.choice(["/endless", "/endless?pause=0.001"]))
    read_some(client, chance)


def read_some(client: Client, chance: random.Random) -> None:
    for _ in range(chance.randrange(4)):
        client.fill()


def leave_an_upload(client: Client, chance: random.Random) -> None:
    client.request("POST", "/upload", "Content-Length: 1000000")
    client.send(bytes(chance.randrange(500_000)))


def leave_at_once(client: Client, chance: random.Random) -> None:
    client.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n"[: chance.randrange(28)])


def crowd_of_clients(server: Server, seed: int, visits: int) -> None:
    with ThreadPoolExecutor(THREADS) as crowd:
        list(crowd.map(lambda number: visit(server, random.Random(seed + number)), range(visits)))


def occupy_all_threads(server: Server, doorman: Doorman) -> None:
    """So that the pools have all the threads they will ever have before anything is counted."""
    clients = [server.client() for _ in range(THREADS)]
    for client in clients:
        client.request("GET", f"/stream?pieces=2&{doorman.query}", "Connection: close")
    for visitor in [doorman.greet() for _ in clients]:
        visitor.let_on()
    for client in clients:
        assert client.reply().complete
        client.close()


@of(*REAL)
def test_500_clients_of_a_real_server_leave_nothing_behind(server: Server, doorman: Doorman) -> None:
    worker = server.worker()
    occupy_all_threads(server, doorman)
    before = [round_of_visits(server, worker, seed) for seed in range(2)]
    after = [round_of_visits(server, worker, seed) for seed in range(2, 4)]
    descriptors = before[-1].descriptors
    until(lambda: measure(worker).descriptors == descriptors, "descriptors are where they were")
    assert after[-1].threads <= before[-1].threads
    assert memory_is_where_it_was(before, after)
    assert threading.active_count() < 10, "nor does the test itself leave any"


def round_of_visits(server: Server, worker: psutil.Process, seed: int) -> Measure:
    crowd_of_clients(server, 1000 * seed, 250)
    calm(server)
    return measure(worker)


def calm(server: Server) -> None:
    """No connection is left: what clients abandoned has been noticed."""
    worker = server.worker()
    until(lambda: not [c for c in worker.net_connections("tcp4") if c.raddr], "all connections are closed")
