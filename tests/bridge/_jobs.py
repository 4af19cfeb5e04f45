"""Jobs for a `WorkerPool` that wait until they are told to end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.conftest import BOUND

if TYPE_CHECKING:
    from collections.abc import Callable

    from anysgi import WorkerPool


class Job:
    """Starts, waits for `release`, ends.

    Args:
        work: called in the middle.
    """

    def __init__(self, work: Callable[[], object] | None = None, *, held: bool = False) -> None:
        self.work = work
        self.queued_at = 0.0
        self.revoked = False
        self.thread: threading.Thread | None = None
        self.started = threading.Event()
        self.ended = threading.Event()
        self.release = threading.Event()
        if not held:
            self.release.set()

    def run(self) -> None:
        self.thread = threading.current_thread()
        self.started.set()
        if self.work is not None:
            self.work()
        assert self.release.wait(BOUND)
        self.ended.set()

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release.set()


def held(pool: WorkerPool, count: int = 1) -> list[Job]:
    """Jobs that keep threads of `pool` busy."""
    jobs = [Job(held=True) for _ in range(count)]
    for job in jobs:
        assert pool.submit(job)
        assert job.started.wait(BOUND)
    return jobs


def let_go(jobs: list[Job]) -> None:
    for job in jobs:
        job.release.set()
    for job in jobs:
        assert job.revoked or job.ended.wait(BOUND)
