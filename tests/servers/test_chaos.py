"""Clients that do whatever they like for a bounded time; afterwards nothing is left, lost, or whole that is not.

ANYSGI_TEST_CHAOS says for how many seconds each server is visited, ANYSGI_TEST_SEED which visits there are; a failure
names its own seed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ._cells import Cell
from ._doorman import Doorman
from ._process import Server, running, until
from ._soak import Measure, measure, memory_is_where_it_was
from ._sockets import FAST
from ._sockets import Cell as SocketCell
from ._sockets import serving as serving_sockets
from ._visits import THREADS, any_visit, calm, check_ledgers, occupy_all_threads, unlucky_visit
from ._websocket_visits import any_conversation, open_many

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.timeout(300)]
SECONDS = float(os.environ.get("ANYSGI_TEST_CHAOS", "10"))
SEED = int(os.environ.get("ANYSGI_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = 8
EXPECTED_TASKS = 4  # the server's, the lifespan's, and those of the request that counts them
CELLS = [
    Cell("uvicorn-httptools", "flask", "w2a", threads=THREADS),
    Cell("uvicorn-h11", "wsgi", "w2a", threads=THREADS),
    Cell("gunicorn-gthread", "starlette", "a2w", threads=THREADS),
    Cell("waitress", "asgi", "a2w", threads=THREADS),
    Cell("gunicorn-gthread", "flask", "both", threads=THREADS, options=json.dumps({"threads": THREADS})),
]


@contextmanager
def serving(cell: Cell, folder: Path, *options: str) -> Iterator[Server]:
    with running(cell.name, [*cell.command(), *options], cell.environ(), folder) as server:
        yield server


def chaos(server: Server, seed: int, seconds: float, visit: Callable[[Server, random.Random], None]) -> int:
    """Visit the server from all sides; returns how often."""
    ends = time.monotonic() + seconds
    visits = iter(range(1 << 60))

    def visitor(_: int) -> int:
        for number in visits:
            try:
                visit(server, random.Random(seed + number))
            except BaseException as error:
                error.add_note(f"ANYSGI_TEST_SEED={SEED}, visit {seed + number}\n{server.tail()}")
                raise
            if time.monotonic() > ends:
                return number
        return 0

    with ThreadPoolExecutor(THREADS) as crowd:
        return max(crowd.map(visitor, range(THREADS)))


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_after_chaos_nothing_is_left_and_nothing_was_taken_for_whole(
    cell: Cell, tmp_path: Path, doorman: Doorman
) -> None:
    with serving(cell, tmp_path) as server:
        worker, moments = server.worker(), []
        occupy_all_threads(server, doorman)
        for number in range(ROUNDS):
            chaos(server, SEED + (number << 40), SECONDS / ROUNDS, any_visit)
            calm(server)
            until(lambda: tasks(server) <= EXPECTED_TASKS, "no task outlives its request")
            moments.append(measure(worker))
        nothing_is_left(worker, moments)
        whole, broken = check_ledgers(server)
        assert whole > 0
        assert (broken > 0) != cell.buffers_uploads


@pytest.mark.parametrize("cell", [cell.param() for cell in FAST])
def test_after_chaos_on_websockets_nothing_is_left(cell: SocketCell, tmp_path: Path) -> None:
    with serving_sockets(cell, tmp_path) as server:
        worker, moments = server.worker(), []
        open_many(server)
        for number in range(ROUNDS):
            chaos(server, SEED + (number << 40), SECONDS / ROUNDS, any_conversation)
            calm(server)
            until(lambda: tasks(server) <= EXPECTED_TASKS, "no task outlives its WebSocket")
            moments.append(measure(worker))
        nothing_is_left(worker, moments)


def nothing_is_left(worker: psutil.Process, moments: list[Measure]) -> None:
    """Compared with the first half, in which everything was there that is made at need and kept."""
    before, after = moments[: ROUNDS // 2], moments[ROUNDS // 2 :]
    until(lambda: measure(worker).descriptors <= before[-1].descriptors, f"descriptors are where they were: {moments}")
    assert after[-1].threads <= before[-1].threads
    assert memory_is_where_it_was(before, after), moments
    assert threading.active_count() < 10, "nor does the test itself leave any"


def tasks(server: Server) -> int:
    return int(server.get("/where").json()["tasks"])


KILLED = [
    (Cell("uvicorn-h11", "wsgi", "w2a", threads=THREADS), "--workers=2"),
    (Cell("gunicorn-gthread", "starlette", "a2w", threads=THREADS), "--workers=2"),
]


@pytest.mark.parametrize(("cell", "option"), KILLED, ids=lambda value: getattr(value, "name", None))
def test_a_worker_that_is_killed_takes_along_what_it_was_serving_and_nothing_else(
    cell: Cell, option: str, tmp_path: Path
) -> None:
    with serving(cell, tmp_path, option) as server:
        server.excused = "<socket.socket fd="  # uvicorn's parent leaves its listener to the garbage collector
        chance = random.Random(SEED)
        with ThreadPoolExecutor(1) as beside:
            visits = beside.submit(chaos, server, SEED, SECONDS, unlucky_visit)
            while not visits.done():
                killed = chance.choice(sorted(workers(server)))
                os.kill(killed, signal.SIGKILL)
                assert server.get("/hello").status == 200, "the other goes on"
                until(lambda killed=killed: killed not in workers(server), "another is in its place", 60)
            visits.result()
        whole, _ = check_ledgers(server)
        assert whole > 0


def workers(server: Server) -> set[int]:
    """The two processes that serve."""
    found: set[int] = set()
    until(lambda: found.add(server.get("/where").json()["pid"]) or len(found) == 2, "two workers serve", 60)
    return found
