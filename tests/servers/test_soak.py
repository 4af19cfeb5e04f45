"""10,000 requests in which clients leave at random points: threads, tasks, descriptors and memory are where they were.

Nine thousand run in this process, against the adapters alone; a thousand go through real servers over raw sockets.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psutil
import pytest

from anysgi import AsgiToWsgi, WsgiToAsgi

from ._cells import Cell, of
from ._doorman import Doorman
from ._process import Server, until
from ._soak import Measure, Plan, asgi_app, measure, memory_is_where_it_was, plans, play_asgi, play_wsgi, wsgi_app
from ._visits import THREADS, calm, crowd_of_clients, occupy_all_threads

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120)]
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
