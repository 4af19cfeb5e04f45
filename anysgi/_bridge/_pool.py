"""Threads that run jobs: daemonic, started on demand, gone when idle, made anew after a fork.

Every idle thread has left a token in a list; a submitter that finds none starts a thread, or at the bound leaves a
debt, which the next thread to finish pays instead of leaving its token.  Each move is a single list operation, so no
lock is taken where an idle thread is found; threads that come and go, and jobs that queue, take one.
"""

from __future__ import annotations

import itertools
import logging
import threading
from queue import Empty, SimpleQueue
from time import monotonic
from typing import NamedTuple, Protocol

from ..exceptions import PoolClosed
from . import _forks

log = logging.getLogger("anysgi")

_LONG = 512  # jobs in the queue: beyond, under overload, every refusal would pay for a sweep ...
_SWEEP_EVERY = 0.05  # ... so these many seconds must lie between two
_SWEEP_AT = 64  # jobs in the queue: from here on, those whose client left are swept out now and then


class Job(Protocol):
    """What a pool runs."""

    queued_at: float

    def run(self) -> None:
        """Do the work.  Must not raise."""

    @property
    def revoked(self) -> bool:
        """Whether `run` would do nothing, because nobody waits for it any more."""


class PoolFull(Exception):
    """The queue is at its limit; the request is to be refused."""


class PoolStats(NamedTuple):
    """A moment in the life of a `WorkerPool`."""

    threads: int
    """Threads alive."""
    busy: int
    """Threads running a job."""
    queued: int
    """Jobs waiting for a thread."""
    queue_wait: float
    """Seconds that the job which left the queue last had waited in it."""
    queue_wait_max: float
    """The longest such wait so far, in seconds."""


class WorkerPool:
    """A bounded pool of threads for WSGI apps; may be shared by several adapters to bound them together.

    The bound holds per process: with four server workers, four times as many requests run at once.

    Args:
        threads: how many jobs run at once at most.
        queue_limit: how many may wait for a thread before further requests are answered 503; None for no limit.
        idle_timeout: seconds after which an idle thread ends.
        name: prefix of the threads' names.

    Raises:
        ValueError: `threads` is not positive, or another bound negative.
    """

    def __init__(
        self, threads: int = 40, *, queue_limit: int | None = None, idle_timeout: float = 30.0, name: str = "anysgi"
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1, not {threads}")
        for option, bound in (("queue_limit", queue_limit), ("idle_timeout", idle_timeout)):
            if bound is not None and bound < 0:
                raise ValueError(f"{option} must be 0 or more, not {bound}")
        self.threads = threads
        self.queue_limit = queue_limit
        self.idle_timeout = idle_timeout
        self.name = name
        self._numbers = itertools.count(1)
        self._closed = False
        self.after_fork()
        _forks.register(self)

    def after_fork(self) -> None:
        """Start over with no threads and no jobs: those of the parent did not come along."""
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._alive: set[threading.Thread] = set()
        self._idle: list[None] = []
        self._debts: list[None] = []
        self._lock = threading.Lock()  # threads neither come nor go between a look at their number and what follows
        self._sweep_at = _SWEEP_AT
        self._swept = 0.0
        self._wait = self._wait_max = 0.0

    def submit(self, job: Job) -> bool:
        """Have a thread run `job`; True if one is free for it, False if it has to queue.

        Raises:
            PoolClosed: the pool was closed.
            PoolFull: `queue_limit` jobs are waiting already.
        """
        if self._closed:
            raise PoolClosed("this WorkerPool is closed; make a new one")
        try:
            self._idle.pop()
        except IndexError:
            with self._lock:
                if not (len(self._alive) < self.threads and self._start_thread()) and not self._wait_in_line():
                    job.queued_at = monotonic()
                    self._jobs.put(job)
                    return False
        self._jobs.put(job)
        return True

    def _start_thread(self) -> bool:
        thread = threading.Thread(
            target=self._work, args=(self._jobs,), name=f"{self.name}-{next(self._numbers)}", daemon=True
        )
        self._alive.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads: go on with those there are
            self._alive.discard(thread)
            if not self._alive:
                raise
            log.warning("the system refused thread %d of %d; requests queue", len(self._alive) + 1, self.threads)
            return False
        return True

    def _wait_in_line(self) -> bool:
        """Make a debt; True if a thread has become idle meanwhile, and the debt is settled with its token.

        The debt comes first: whoever finishes from now on pays it, or has left a token that is found here.
        """
        waiting = len(self._debts)  # the queue also holds jobs whose thread is just waking up
        full = self.queue_limit is not None and waiting >= self.queue_limit
        due = waiting < _LONG or monotonic() - self._swept > _SWEEP_EVERY
        if due and (full or waiting >= self._sweep_at):
            waiting = self._sweep()
            full = self.queue_limit is not None and waiting >= self.queue_limit
        if full:
            raise PoolFull(f"{waiting} requests are waiting for {self.threads} threads")
        self._debts.append(None)
        try:
            self._idle.pop()
        except IndexError:
            return False
        self._settle()
        return True

    def _sweep(self) -> int:
        """Throw out the jobs nobody waits for, in order; return how many are left."""
        for _ in range(self._jobs.qsize()):
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None or not job.revoked:
                self._jobs.put(job)
            else:
                self._settle()
        left = len(self._debts)
        self._swept = monotonic()
        self._sweep_at = max(_SWEEP_AT, 2 * left)
        return left

    def _work(self, jobs: SimpleQueue[Job | None]) -> None:
        while (job := self._next_job(jobs)) is not None:
            if job.queued_at:
                self._wait = monotonic() - job.queued_at
                self._wait_max = max(self._wait_max, self._wait)
            job.run()
            del job  # an idle thread keeps no request alive
            if self._jobs is not jobs:  # the job forked: in the child the pool has begun anew, without this thread
                return
            self._settle()

    def _settle(self) -> None:
        """One job is done with: pay a debt, or leave a token."""
        if self._debts:  # a look first: it costs less than an exception that is caught
            try:
                self._debts.pop()
                return
            except IndexError:  # another thread was quicker
                pass
        self._idle.append(None)

    def _next_job(self, jobs: SimpleQueue[Job | None]) -> Job | None:
        """Wait for a job; None if the thread has left: its time is over, or the pool closed and nothing on the way."""
        while not (self._closed and self._leave()):
            try:
                job = jobs.get(timeout=self.idle_timeout)
            except Empty:
                if self._leave():
                    break
            else:
                if job is not None:  # else the pool was closed
                    return job
        return None

    def _leave(self) -> bool:
        """Whether the calling thread may end: not while a job is on the way to it."""
        with self._lock:
            try:
                self._idle.pop()
            except IndexError:  # a submitter took the token
                return False
            self._alive.discard(threading.current_thread())
        return True

    def stats(self) -> PoolStats:
        """Return how busy the pool is right now."""
        threads = len(self._alive)
        return PoolStats(threads, max(0, threads - len(self._idle)), len(self._debts), self._wait, self._wait_max)

    def close(self, timeout: float = 30.0) -> bool:
        """Take no more jobs, let those accepted finish, end the threads.

        Blocks for up to `timeout` seconds; threads still busy then are left behind (they are daemonic) and logged.
        Returns whether all of them ended.
        """
        self._closed = True
        deadline = monotonic() + timeout
        threads = list(self._alive)
        for _ in threads:
            self._jobs.put(None)  # wakes those that idle; each leaves by its token, so none whose job is on the way
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))
        left = [thread.name for thread in threads if thread.is_alive()]
        if left:
            log.warning(
                "%d threads still busy %.1f s after the pool was closed: %s", len(left), timeout, ", ".join(left)
            )
        return not left

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
