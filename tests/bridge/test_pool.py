"""`WorkerPool`: threads that come on demand, stay within the bound, are used again, and leave when idle."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from anysgi import PoolStats, WorkerPool
from anysgi._bridge import _forks
from anysgi.exceptions import PoolClosed
from tests.conftest import BOUND, eventually

from ._jobs import Job, held, let_go

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(3, name="test") as pool:
        yield pool


def idle(pool: WorkerPool, threads: int) -> None:
    """Wait until that many threads are there and none is busy."""
    assert eventually(lambda: pool.stats()[:2] == (threads, 0))


def test_a_new_pool_has_no_threads(pool: WorkerPool) -> None:
    assert pool.stats() == PoolStats(threads=0, busy=0, queued=0, queue_wait=0.0, queue_wait_max=0.0)


def test_a_job_runs_on_a_named_daemon_thread(pool: WorkerPool) -> None:
    job = Job()
    assert pool.submit(job) is True
    assert job.ended.wait(BOUND)
    assert job.thread is not None
    assert job.thread.name == "test-1"
    assert job.thread.daemon


def test_threads_are_made_on_demand_up_to_the_bound(pool: WorkerPool) -> None:
    for count in range(1, 4):
        jobs = held(pool, count)
        assert pool.stats()[:3] == (count, count, 0)
        let_go(jobs)
        idle(pool, count)


def test_no_job_waits_for_a_busy_thread_while_the_bound_allows_another() -> None:
    for _ in range(50):
        with WorkerPool(2) as pool:
            let_go(held(pool, 2))


def test_beyond_the_bound_jobs_queue_and_run_in_order(pool: WorkerPool) -> None:
    order: list[int] = []
    with WorkerPool(1) as pool:
        first = held(pool)
        rest = [Job(lambda number=number: order.append(number)) for number in range(20)]
        assert [pool.submit(job) for job in rest] == [False] * 20
        assert pool.stats()[:3] == (1, 1, 20)
        let_go(first)
        let_go(rest)
        assert order == list(range(20))


def test_a_thread_is_used_again(pool: WorkerPool) -> None:
    threads = set()
    for _ in range(20):
        job = Job()
        pool.submit(job)
        assert job.ended.wait(BOUND)
        threads.add(job.thread)
        idle(pool, 1)
    assert len(threads) == 1


def test_idle_threads_leave_and_come_back() -> None:
    with WorkerPool(3, idle_timeout=0.01) as pool:
        for _ in range(2):
            let_go(held(pool, 3))
            assert eventually(lambda: pool.stats()[:2] == (0, 0))


def test_busy_threads_do_not_leave() -> None:
    with WorkerPool(2, idle_timeout=0.001) as pool:
        busy, brief = held(pool), Job()
        pool.submit(brief)
        assert brief.ended.wait(BOUND)
        assert eventually(lambda: pool.stats().threads == 1)
        assert pool.stats().busy == 1
        let_go(busy)


def test_an_idle_thread_keeps_no_job_alive(pool: WorkerPool) -> None:
    job = Job()
    pool.submit(job)
    assert job.ended.wait(BOUND)
    idle(pool, 1)
    alive = weakref.ref(job)
    del job
    gc.collect()
    assert alive() is None


def test_stats_tell_how_long_jobs_waited() -> None:
    with WorkerPool(1) as pool:
        let_go(held(pool))
        idle(pool, 1)
        assert pool.stats()[3:] == (0.0, 0.0)
        for _ in range(2):
            busy, queued = held(pool), Job()
            pool.submit(queued)
            assert queued.queued_at > 0
            let_go([*busy, queued])
            idle(pool, 1)
            assert 0 < pool.stats().queue_wait <= pool.stats().queue_wait_max
        longest = pool.stats().queue_wait_max
        assert longest >= pool.stats().queue_wait


@pytest.mark.parametrize("threads", [0, -1])
def test_a_pool_without_threads_is_refused(threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads must be at least 1, not {threads}"):
        WorkerPool(threads)


@pytest.mark.parametrize("options", [{"idle_timeout": -1.0}, {"queue_limit": -1}])
def test_a_bound_below_zero_is_refused(options: Any) -> None:
    with pytest.raises(ValueError, match=r"must be 0 or more, not -1"):
        WorkerPool(2, **options)


def test_a_closed_pool_finishes_what_it_accepted(pool: WorkerPool) -> None:
    jobs = [Job() for _ in range(30)]
    for job in jobs:
        pool.submit(job)
    assert pool.close(BOUND) is True
    assert all(job.ended.is_set() for job in jobs)
    assert pool.stats()[:3] == (0, 0, 0)


def test_a_closed_pool_takes_nothing_more(pool: WorkerPool) -> None:
    pool.close()
    with pytest.raises(PoolClosed, match="make a new one"):
        pool.submit(Job())
    assert pool.close(0) is True


def test_a_stuck_thread_is_left_behind_and_logged(pool: WorkerPool, caplog: pytest.LogCaptureFixture) -> None:
    stuck = held(pool, 2)
    with caplog.at_level(logging.WARNING, "anysgi"):
        assert pool.close(0.01) is False
    assert "2 threads still busy 0.0 s after the pool was closed" in caplog.text
    assert "test-1" in caplog.text
    assert "test-2" in caplog.text
    let_go(stuck)
    assert eventually(lambda: pool.stats().threads == 0)


def test_a_pool_nobody_holds_is_forgotten() -> None:
    pool = WorkerPool(1)
    alive = weakref.ref(pool)
    assert pool in _forks._forkable
    del pool
    gc.collect()
    assert alive() is None


def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)


def test_without_a_single_thread_the_refusal_is_raised(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refusing(patch)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            pool.submit(Job())
    let_go(held(pool, 3))


def test_with_fewer_threads_than_wanted_jobs_queue(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    busy, queued = held(pool), Job()
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "anysgi"):
        refusing(patch)
        assert pool.submit(queued) is False
    assert "the system refused thread 2 of 3" in caplog.text
    assert pool.stats()[:3] == (1, 1, 1)
    let_go(busy)
    let_go([queued])
    idle(pool, 1)
    let_go(held(pool, 3))
