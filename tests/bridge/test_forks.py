"""After a fork nothing of the parent's threads, loops and locks is left: the child starts its own."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import weakref

import pytest

from anysgi._bridge import _forks
from tests.conftest import BOUND

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")

FORK = """
import os, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on: fork() with threads
from anysgi import WorkerPool
from anysgi._bridge._loop_thread import shared_loop
from tests.bridge._jobs import Job, held, let_go

def in_child(check):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            check()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""

POOL = """
pool = WorkerPool(2, name="forked")
busy = held(pool)
queued = [Job(), Job(), Job()]
for job in queued:
    pool.submit(job)

def check():
    assert pool.stats() == (0, 0, 0, 0.0, 0.0), pool.stats()
    let_go(held(pool, 2))
    assert pool.close(10)

in_child(check)
let_go(busy)
let_go(queued)
assert pool.close(10)
"""

LOCKED_POOL = """
pool = WorkerPool(1)
pool._lock.acquire()  # another thread of the parent is about to start one, at the time of the fork
in_child(lambda: let_go(held(pool)))
pool._lock.release()
pool.close(10)
"""

FORKING_JOB = """
import faulthandler
pool = WorkerPool(1)
pids = []

class Forks(Job):
    def run(self):
        pid = os.fork()
        if pid:
            pids.append(pid)
            self.ended.set()
        else:
            worker = threading.current_thread()
            threading.Thread(target=use_it_later, args=(worker,)).start()

def use_it_later(worker):
    faulthandler.dump_traceback_later(8, exit=True)
    worker.join(5)  # its queue is the parent's
    let_go(held(pool))
    os._exit(worker.is_alive())

job = Forks()
pool.submit(job)
assert job.ended.wait(10)
assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 0
assert pool.close(10)
"""

LOOP = """
async def work():
    done.append(os.getpid())

done = []
shared_loop(LOOP).port.run(work())
parent = shared_loop(LOOP)

def check():
    child = shared_loop(LOOP)
    assert child is not parent
    assert child.running
    child.port.run(work())
    assert done[1:] == [os.getpid()]
    child.stop()

in_child(check)
assert shared_loop(LOOP) is parent
parent.port.run(work())
assert len(done) == 2
"""

SOCKET_PAIR = """
import asyncio
from anysgi._bridge._ports import running_port
from anysgi._bridge._socket_pair import socket_pair

async def main():
    stream, sock = socket_pair(running_port())
    in_child(lambda: sock.send(b"small"))  # the loop is in the parent
    assert await asyncio.wait_for(stream.read(), 10) == b"small"
    stream.close()
    sock.close()

asyncio.run(main())
"""

PROGRAMS = {
    "a pool": POOL,
    "a pool whose lock was held": LOCKED_POOL,
    "a pool, a job of which forked": FORKING_JOB,
    "the asyncio loop": f"LOOP = 'asyncio'\n{LOOP}",
    "the uvloop loop": f"LOOP = 'uvloop'\n{LOOP}",
    "a socket pair": SOCKET_PAIR,
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_child_has_its_own(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", FORK + program],
        capture_output=True,
        timeout=4 * BOUND,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


REGISTERED = """
from anysgi._bridge import _forks

class Item:
    forked = False
    def after_fork(self):
        self.forked = True

item, forgotten = Item(), Item()
_forks.register(item)
_forks.register(forgotten)
del forgotten

def check():
    assert item.forked
    assert [type(other).__name__ for other in _forks._forkable].count("Item") == 1

in_child(check)
assert not item.forked
"""


def test_whoever_registered_and_still_lives_is_told_in_the_child_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK + REGISTERED], capture_output=True, timeout=4 * BOUND, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


class Item:
    forked = 0

    def after_fork(self) -> None:
        self.forked += 1


def test_every_fork_tells_them_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, as a child's coverage is not counted."""
    monkeypatch.setattr(_forks, "_forkable", weakref.WeakSet())
    item, never = Item(), Item()
    _forks.register(item)
    _forks._after_fork()
    _forks._after_fork()
    assert (item.forked, never.forked) == (2, 0)


def test_a_system_without_forks_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork")
    assert "register" in runpy.run_path(str(_forks.__file__))
