"""Threads of `run`: its helpers after a Ctrl-C and in a forked child, and those an app leaves."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from anysgi.testing import run
from anysgi.testing._bounded import burns_time


def says(text: str) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [text.encode()]

    return app


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A Ctrl-C raises `KeyboardInterrupt`, which a process that a shell put in the background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_what_an_interrupted_run_would_have_told_is_not_told_to_the_next_one() -> None:
    going_on, threads = threading.Event(), []

    def interrupted(environ: Any, start_response: Any) -> Any:
        threads.append(threading.current_thread())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        going_on.wait(10)
        raise RuntimeError("of the interrupted one")

    with pytest.raises(KeyboardInterrupt):
        run(interrupted)
    going_on.set()
    exchange = run(says("the next one"))
    assert (exchange.body, exchange.exception) == (b"the next one", None)
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_a_forked_child_has_helpers_of_its_own() -> None:
    run(says("the parent's"))
    child = os.fork()
    if child == 0:
        os._exit(0 if run(says("the child's")).body == b"the child's" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert run(says("the parent's")).body == b"the parent's"


@pytest.mark.parametrize("wait", ["event", "queue"])
def test_a_thread_that_is_left_is_told_by_the_line_of_its_own_code(wait: str) -> None:
    release = threading.Event()
    jobs: queue.Queue[None] = queue.Queue()
    threads: list[threading.Thread] = []

    def forgotten() -> None:
        release.wait(10) if wait == "event" else jobs.get(timeout=10)

    def app(environ: Any, start_response: Any) -> Any:
        threads.append(threading.Thread(target=forgotten))
        threads[0].start()
        start_response("200 OK", [])
        return []

    [leak] = run(app).leaks
    release.set()
    jobs.put(None)
    threads[0].join(10)
    line = forgotten.__code__.co_firstlineno + 1
    assert leak.what.endswith(f"at {__file__}:{line}")


def test_a_thread_that_is_left_in_no_python_code_of_its_own_is_told_by_its_name() -> None:
    lock = threading.Lock()
    lock.acquire()
    threads: list[threading.Thread] = []

    def app(environ: Any, start_response: Any) -> Any:
        threads.append(threading.Thread(target=lock.acquire, args=[True, 10], name="forgotten"))
        threads[0].start()
        start_response("200 OK", [])
        return []

    [leak] = run(app).leaks
    lock.release()
    threads[0].join(10)
    assert leak.what == "forgotten"


def test_a_thread_that_has_ended_burns_no_time() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    assert thread.ident is not None
    assert not burns_time(thread.ident)
