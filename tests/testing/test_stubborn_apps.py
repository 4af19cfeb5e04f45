"""Apps that block the caller's loop or leave on it what does not end: an error in time, and the process ends.

Each in a process of its own, which is what would hang.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT = 40  # seconds, of a machine that is busy


def told(app: str, way: str, backend: str = "asyncio", where: str = "main") -> tuple[str, str]:
    """What the process wrote, if it ended."""
    command = [sys.executable, "-m", "tests.testing._stubborn", app, way, backend, where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ended\n")
    return done.stdout, done.stderr


ERRORS = {"arun": "ExchangeTimeout", "transport": "ReadTimeout", "lifespan": "LifespanError", "client": "ReadTimeout"}
SAID = {"lifespan": "lifespan.startup"}


@pytest.mark.parametrize("way", ["arun", "transport", "lifespan", "client"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_app_that_blocks_the_loop_is_an_error_with_the_messages_and_the_line(way: str, backend: str) -> None:
    out, _ = told("sleeps", way, backend)
    assert out.startswith(ERRORS[way])
    assert SAID.get(way, "http.response.start") in out
    assert "time.sleep(3600)" in out


@pytest.mark.parametrize("app", ["spins", "catches", "catches_spinning", "child_blocks", "waits_for_itself"])
def test_however_it_does_so(app: str) -> None:
    out, _ = told(app, "arun")
    assert "ExchangeTimeout" in out
    assert "blocked the event loop" in out
    assert "_stubborn.py" in out


@pytest.mark.parametrize("app", ["child_blocks", "callback_blocks"])
@pytest.mark.parametrize("way", ["arun", "transport", "lifespan"])
def test_a_task_or_a_callback_of_the_app_that_blocks_the_loop_is_the_app(app: str, way: str) -> None:
    assert told(app, way)[0].startswith(ERRORS[way])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_python_that_blocks_a_loop_on_another_thread_is_ended_too(backend: str) -> None:
    out, _ = told("spins", "arun", backend, "other")
    assert out.startswith("ExchangeTimeout")
    assert "while True:" in out


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_app_that_blocks_the_loop_while_nobody_waits_for_it_is_thrown_out_as_well(backend: str) -> None:
    out, _ = told("blocks_later", "away", backend)
    assert out.startswith("awake\nReadTimeout")
    assert "time.sleep(3600)" in out


@pytest.mark.parametrize(("app", "where"), [("queries", "main"), ("sleeps", "other")])
def test_what_nobody_in_the_process_can_end_is_told_on_stderr(app: str, where: str) -> None:
    command = [sys.executable, "-m", "tests.testing._stubborn", app, "arun", "asyncio", where]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        seen = ""
        try:
            for line in process.stderr:  # the limit of the test is that of this wait
                seen += line
                if "http.response.start" in line:
                    break
        finally:
            os.kill(process.pid, signal.SIGKILL)
    assert "nobody in this process can end" in seen
    assert app in seen


# What an app leaves


@pytest.mark.parametrize("way", ["arun", "transport", "lifespan"])
def test_a_task_that_swallows_its_cancellation_does_not_hold_up_the_end_of_the_loop(way: str) -> None:
    _, log = told("leaves_a_task", way)
    assert "left a task that goes on when it is cancelled: swallows" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("where", ["main", "other"])
@pytest.mark.parametrize("way", ["arun", "transport"])
def test_jobs_of_the_pool_that_do_not_end_hold_up_neither_the_loop_nor_the_process(way: str, where: str) -> None:
    _, log = told("leaves_jobs", way, "asyncio", where)
    assert log.count("left a job that goes on") == 2


@pytest.mark.parametrize("way", ["arun", "transport", "client"])
@pytest.mark.parametrize(
    ("app", "backend"),
    [("waits_for_a_job", "asyncio"), ("waits_for_a_thread", "asyncio"), ("waits_for_a_thread", "trio")],
)
def test_an_app_that_waits_for_a_thread_is_an_error_and_the_process_ends(app: str, way: str, backend: str) -> None:
    assert told(app, way, backend)[0].startswith(ERRORS[way])


def test_an_async_generator_whose_end_waits_does_not_hold_up_the_end_of_the_loop() -> None:
    told("leaves_a_generator", "arun")


@pytest.mark.parametrize("way", ["arun", "transport"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("app", ["nursery", "child_swallows"])
def test_an_app_that_swallows_everything_inside_of_a_nursery_is_the_usual_error(
    app: str, way: str, backend: str
) -> None:
    assert told(app, way, backend)[0].startswith(ERRORS[way])


# On the calling thread


@pytest.mark.parametrize("app", ["wsgi_sleeps", "sleeps"])
def test_a_run_on_the_main_thread_itself_holds_its_bound(app: str) -> None:
    out, _ = told(app, "inline")
    assert out.startswith("ExchangeTimeout")
    assert "time.sleep(3600)" in out


def test_a_thread_that_an_app_leaves_behind_does_not_keep_the_process() -> None:
    out, _ = told("wsgi_leaves_a_thread", "inline")
    assert "Leak(kind='thread'" in out
