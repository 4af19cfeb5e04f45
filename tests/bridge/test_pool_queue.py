"""`WorkerPool`, the queue: its limit, and the jobs in it that nobody waits for any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from anysgi import WorkerPool
from anysgi._bridge._pool import _SWEEP_AT, PoolFull
from tests.conftest import BOUND, eventually

from ._jobs import Job, held, let_go

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def busy() -> Iterator[tuple[WorkerPool, list[Job]]]:
    """A pool of one thread that is busy, and what keeps it busy; two may queue."""
    with WorkerPool(1, queue_limit=2) as pool:
        jobs = held(pool)
        yield pool, jobs
        let_go(jobs)


def test_the_queue_has_a_limit(busy: tuple[WorkerPool, list[Job]]) -> None:
    pool, _ = busy
    assert [pool.submit(Job()) for _ in range(2)] == [False, False]
    for _ in range(3):
        with pytest.raises(PoolFull, match="2 requests are waiting for 1 threads"):
            pool.submit(Job())
    assert pool.stats().queued == 2


def test_a_limit_of_zero_lets_nobody_queue() -> None:
    with WorkerPool(1, queue_limit=0) as pool:
        jobs = held(pool)
        with pytest.raises(PoolFull, match="0 requests are waiting"):
            pool.submit(Job())
        let_go(jobs)
        assert eventually(lambda: pool.stats().busy == 0)
        let_go(held(pool))


def test_there_is_room_again_once_a_job_started(busy: tuple[WorkerPool, list[Job]]) -> None:
    pool, jobs = busy
    queued = [Job(held=True), Job(held=True)]
    for job in queued:
        pool.submit(job)
    let_go(jobs)
    assert queued[0].started.wait(BOUND)
    last = Job()
    assert pool.submit(last) is False
    let_go([*queued, last])


def test_a_full_queue_first_drops_the_jobs_nobody_waits_for(busy: tuple[WorkerPool, list[Job]]) -> None:
    pool, jobs = busy
    order: list[str] = []
    first, second, third = (Job(lambda name=name: order.append(name)) for name in ("first", "second", "third"))
    pool.submit(first)
    pool.submit(second)
    first.revoked = True
    assert pool.submit(third) is False
    assert pool.stats().queued == 2
    let_go(jobs)
    let_go([second, third])
    assert order == ["second", "third"]


def test_a_long_queue_is_swept_now_and_then_and_keeps_its_order() -> None:
    with WorkerPool(1) as pool:
        order: list[int] = []
        busy = held(pool)
        jobs = [Job(lambda number=number: order.append(number)) for number in range(_SWEEP_AT)]
        for job in jobs:
            pool.submit(job)
        for job in jobs[::2]:
            job.revoked = True
        assert pool.stats().queued == _SWEEP_AT
        pool.submit(Job())
        assert pool.stats().queued == _SWEEP_AT // 2 + 1
        let_go(busy)
        let_go(jobs)
        assert order == list(range(1, _SWEEP_AT, 2))


def test_a_queue_of_jobs_that_wait_is_not_swept_at_every_turn() -> None:
    """Else a long queue would cost the square of its length."""
    looks = 0

    class Looked(Job):
        @property
        def revoked(self) -> bool:
            nonlocal looks
            looks += 1
            return False

        @revoked.setter
        def revoked(self, value: bool) -> None:
            pass

    with WorkerPool(1) as pool:
        busy, jobs = held(pool), [Looked() for _ in range(1_000)]
        for job in jobs:
            pool.submit(job)
        swept = looks
        let_go(busy)
        assert pool.close(BOUND)
    assert swept < 3 * len(jobs)
    assert all(job.ended.is_set() for job in jobs)


def test_a_sweep_stops_where_threads_emptied_the_queue_meanwhile(busy: tuple[WorkerPool, list[Job]]) -> None:
    pool, _ = busy

    class Taken(Job):
        """Looking at it takes everything behind it away, as a thread might."""

        @property
        def revoked(self) -> bool:
            while not pool._jobs.empty():
                pool._jobs.get_nowait()
                pool._settle()
            return True

        @revoked.setter
        def revoked(self, value: bool) -> None:
            pass

    pool.submit(Taken())
    pool.submit(Job())
    last = Job()
    assert pool.submit(last) is False
    assert pool._jobs.qsize() == 1


def test_a_revoked_job_leaves_the_accounts_in_order() -> None:
    """Its thread is counted as free again, no more and no less."""
    with WorkerPool(2, queue_limit=1) as pool:
        busy = held(pool, 2)
        for _ in range(10):
            dropped = Job()
            pool.submit(dropped)
            dropped.revoked = True
        let_go(busy)
        assert eventually(lambda: pool.stats().busy == 0)
        let_go(held(pool, 2))
