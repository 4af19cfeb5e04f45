"""What every test shares: asyncio's debug mode, both event loops, and a look for what was left behind.

Coroutine tests run through anyio's pytest plugin (`@pytest.mark.anyio`), each on asyncio and on uvloop.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

os.environ.setdefault("PYTHONASYNCIODEBUG", "1")

from anysgi import WorkerPool
from anysgi._bridge import _forks
from anysgi.testing._leaks import is_idle

from ._browser import browser as browser
from .servers._cells import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# A busy machine is no bug: what limits a property is pytest's timeout, not hypothesis' 200 ms an example.
hypothesis.settings.register_profile("anysgi", deadline=None)
hypothesis.settings.load_profile("anysgi")

BOUND = 10.0  # seconds any single wait in a test may take: far more than it needs, far less than for ever


CELL = re.compile(rf"^tests/servers/.*[\[-]((?:{'|'.join(COMMANDS)})-[^\]]+)\]$")


class ByFileAndServer(LoadFileScheduling):
    """Each file to one worker, but a server of the matrix, with all files' tests of it, too: it is started once."""

    def _split_scope(self, nodeid: str) -> str:
        cell = CELL.match(nodeid)
        return cell[1] if cell else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    return ByFileAndServer(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {"debug": True}), id="asyncio"),
        pytest.param(("asyncio", {"debug": True, "use_uvloop": True}), id="uvloop"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def eventually(condition: Callable[[], bool], bound: float = BOUND) -> bool:
    """Whether `condition` comes true within `bound` seconds; polls, for states that nobody announces."""
    deadline = time.monotonic() + bound
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.002)
    return True


@pytest.fixture(scope="module", autouse=True)
def _modules_are_no_garbage() -> None:
    """Take what has been imported by now out of every later collection: the one after each test is much faster then."""
    gc.collect()
    gc.freeze()


def _is_kept(thread: threading.Thread, frame: FrameType | None) -> bool:
    """Whether it is an idle one of a pool or a shared loop; the loop of a `TestClient` is neither."""
    return thread.daemon and is_idle(frame) and thread.name != "anysgi-test-client"


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail a test whose pools still run a job, or that left a thread which is not kept for others."""
    before = set(threading.enumerate())
    yield
    pools = [item for item in list(_forks._forkable) if isinstance(item, WorkerPool)]
    assert eventually(lambda: all(pool.stats().busy == 0 for pool in pools)), "a pool thread is still busy"

    def strangers() -> list[threading.Thread]:
        frames = sys._current_frames()
        return [t for t in threading.enumerate() if t not in before and not _is_kept(t, frames.get(t.ident or 0))]

    assert eventually(lambda: not strangers()), f"threads left behind: {strangers()}"
    gc.collect()  # what is unclosed warns now, in the test that made it, and warnings are errors
