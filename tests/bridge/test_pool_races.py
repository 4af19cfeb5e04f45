"""`WorkerPool` where several threads meet: no job is forgotten, the bound holds, the accounts balance."""

from __future__ import annotations

import contextlib
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anysgi import WorkerPool
from anysgi.exceptions import PoolClosed
from tests.conftest import BOUND, eventually

from ._jobs import Job, held, let_go
from ._sides import on_thread

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hectic() -> Iterator[None]:
    """Threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_a_job_that_comes_while_the_last_thread_leaves_is_run() -> None:
    late, submitted = Job(), []

    class Idle(list[None]):
        """Has a job submitted in the moment in which a thread takes back its token to leave."""

        def pop(self, *args: Any) -> None:
            super().pop(*args)
            if not submitted and threading.current_thread().name == "leaving-1":
                submitted.append(on_thread(pool.submit, late))
                eventually(submitted[0].done, 0.1)

    with WorkerPool(1, idle_timeout=0.01, name="leaving") as pool:
        pool._idle = Idle()
        pool.submit(Job())
        assert late.ended.wait(BOUND)


def test_of_two_threads_that_see_the_last_debt_one_leaves_its_token() -> None:
    class Paid(list[None]):
        """Another thread has paid between the look and the payment."""

        def __bool__(self) -> bool:
            return True

    with WorkerPool(1) as pool:
        pool._debts = Paid()
        job = Job()
        assert pool.submit(job)
        assert job.ended.wait(BOUND)
        eventually(lambda: pool._idle == [None])


def test_a_thread_whose_job_is_on_the_way_does_not_leave() -> None:
    """Its time is over, but a submitter has taken its token, and is about to put the job into the queue."""
    first, late, left = Job(), Job(), []

    class Pool(WorkerPool):
        def _leave(self) -> bool:
            if left:
                return super()._leave()
            self._idle.pop()
            left.append(super()._leave())
            self._jobs.put(late)
            return left[0]

    with Pool(1, idle_timeout=0.01) as pool:
        pool.submit(first)
        assert late.ended.wait(BOUND)
    assert left == [False]
    assert late.thread is first.thread


class Closing(list[None]):
    """Has the pool closed, by somebody else, in the middle of a `submit`.

    Args:
        pool: closed at the first `pop` or `append` of the calling thread.
    """

    def __init__(self, pool: WorkerPool, content: list[None]) -> None:
        super().__init__(content)
        self._pool, self._submitter = pool, threading.current_thread()

    def pop(self, *args: Any) -> None:
        try:
            super().pop(*args)
        finally:
            self._close()

    def append(self, _token: None) -> None:
        super().append(None)
        self._close()

    def _close(self) -> None:
        if threading.current_thread() is self._submitter and not self._pool._closed:
            self._pool.close(0)


@pytest.mark.parametrize("threads", [1, 2], ids=["one idles", "two idle"])
def test_a_job_for_an_idle_thread_is_run_although_the_pool_is_closed_meanwhile(threads: int) -> None:
    pool, late = WorkerPool(2), Job()
    let_go(held(pool, threads))
    assert eventually(lambda: len(pool._idle) == threads)
    pool._idle = Closing(pool, pool._idle)
    assert pool.submit(late)
    assert late.ended.wait(BOUND)
    assert eventually(lambda: pool.stats().threads == 0)


def test_a_job_for_a_new_thread_is_run_although_the_pool_is_closed_meanwhile() -> None:
    pool, late = WorkerPool(2), Job()
    busy = held(pool)
    pool._idle = Closing(pool, [])
    assert pool.submit(late)
    assert late.ended.wait(BOUND)
    let_go(busy)
    assert eventually(lambda: pool.stats().threads == 0)


def test_a_job_that_queues_is_run_although_the_pool_is_closed_meanwhile() -> None:
    pool, late = WorkerPool(2), Job()
    busy = held(pool, 2)
    pool._debts = Closing(pool, [])
    assert not pool.submit(late)
    let_go([*busy, late])
    assert eventually(lambda: pool.stats().threads == 0)


@pytest.mark.usefixtures("hectic")
def test_what_a_pool_accepts_while_it_is_closed_is_run() -> None:
    for _ in range(50):
        pool, accepted = WorkerPool(2), list[Job]()

        def submit(pool: WorkerPool = pool, accepted: list[Job] = accepted) -> None:
            with contextlib.suppress(PoolClosed):
                while True:
                    job = Job()
                    pool.submit(job)
                    accepted.append(job)

        submitting = [on_thread(submit) for _ in range(2)]
        assert eventually(lambda accepted=accepted: len(accepted) > 5)
        pool.close(BOUND)
        for done in submitting:
            done.result(BOUND)
        assert all(job.ended.wait(BOUND) for job in accepted)
        assert eventually(lambda pool=pool: pool.stats().threads == 0)


@pytest.mark.usefixtures("hectic")
def test_several_submitters_together_keep_the_bound() -> None:
    for _ in range(30):
        with WorkerPool(2) as pool:
            jobs, together = [Job(held=True) for _ in range(6)], threading.Barrier(6)

            def submit(job: Job, pool: WorkerPool = pool, together: threading.Barrier = together) -> None:
                together.wait(BOUND)
                pool.submit(job)

            for submitting in [on_thread(submit, job) for job in jobs]:
                submitting.result(BOUND)
            assert len(pool._alive) == 2
            let_go(jobs)


@pytest.mark.usefixtures("hectic")
@pytest.mark.parametrize("idle_timeout", [0.0001, 30.0], ids=["threads leave at once", "threads stay"])
def test_under_load_every_job_is_run_once_and_the_accounts_balance(idle_timeout: float) -> None:
    ran: list[int] = []
    running, most = set(), []

    def work(number: int) -> None:
        running.add(number)
        most.append(len(running))
        ran.append(number)
        running.discard(number)

    with WorkerPool(4, idle_timeout=idle_timeout) as pool:

        def submit(start: int) -> None:
            for number in range(start, start + 300):
                pool.submit(Job(partial(work, number)))

        for submitting in [on_thread(submit, start) for start in (0, 1_000, 2_000)]:
            submitting.result(BOUND)
        assert eventually(lambda: len(ran) == 900)
        assert eventually(lambda: pool.stats().busy == 0)
        assert pool.stats().queued == 0
        assert eventually(lambda: len(pool._idle) - len(pool._debts) == len(pool._alive))
    assert len(ran) == 900
    assert max(most) <= 4


steps = st.lists(st.sampled_from(["submit", "submit", "submit", "release", "revoke"]), max_size=30)


@settings(max_examples=30)
@given(steps, st.integers(1, 3))
def test_whatever_happens_every_job_is_run_or_revoked(steps: list[str], threads: int) -> None:
    waiting: list[Job] = []
    with WorkerPool(threads) as pool:
        for step in steps:
            if step == "submit":
                waiting.append(Job(held=True))
                at_once = pool.submit(waiting[-1])
                assert at_once is (waiting[-1].queued_at == 0)
            elif step == "release" and waiting:
                waiting.pop(0).release.set()
            elif step == "revoke" and waiting:
                waiting[-1].revoked = True
                waiting[-1].release.set()
        for job in waiting:
            job.release.set()
        assert pool.close(BOUND)
        assert all(job.ended.is_set() or job.revoked for job in waiting)
