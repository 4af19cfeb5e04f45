"""The helper threads of `run`: after a Ctrl-C, in a forked child, and when one was abandoned."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest

from anysgi.exceptions import ExchangeTimeout
from anysgi.testing import run


def says(text: str) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [text.encode()]

    return app


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


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


def test_a_forked_child_has_helpers_of_its_own_and_closes_the_parents() -> None:
    run(says("the parent's"))
    before = descriptors()
    child = os.fork()
    if child == 0:
        closed = len(descriptors()) < len(before)
        answered = run(says("the child's")).body == b"the child's"
        os._exit(0 if closed and answered else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert run(says("the parent's")).body == b"the parent's"


def test_an_app_that_forks_and_forgets_to_exit_ends_its_own_child_alone() -> None:
    parent = os.getpid()
    children: list[int] = []

    def forks(environ: Any, start_response: Any) -> Any:
        children.append(os.fork())
        if os.getpid() == parent:
            os.waitpid(children[0], 0)
        start_response("200 OK", [])
        return [b"done"]

    assert run(forks).body == b"done"


def test_a_helper_that_was_abandoned_closes_its_descriptors_when_its_app_ends() -> None:
    run(says(""))
    before = descriptors()
    going_on, threads = threading.Event(), []

    def waits(environ: Any, start_response: Any) -> Any:
        threads.append(threading.current_thread())
        going_on.wait(10)

    with pytest.raises(ExchangeTimeout):
        run(waits, bound=0.05)
    going_on.set()
    threads[0].join(10)
    assert descriptors() <= before
