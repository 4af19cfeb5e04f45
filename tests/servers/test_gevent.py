"""gunicorn's gevent worker, where threads are greenlets and locks are gevent's: nobody waits for anybody else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ._process import running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.server, pytest.mark.slow]

COMMAND = [
    *("-W", "error", "-W", "ignore:unclosed <socket:ResourceWarning"),
    *("-m", "gunicorn", "apps.gevent_app:application", "--bind", "fd://{fd}", "--no-control-socket"),
    *("--worker-class", "gevent"),
]


@pytest.mark.parametrize(("target", "body"), [("/wait", b"asgi"), ("/both/wait", b"wsgi")])
def test_fifty_requests_wait_at_once(tmp_path: Path, target: str, body: bytes) -> None:
    with running("gunicorn-gevent", COMMAND, {}, tmp_path) as server, ThreadPoolExecutor(50) as clients:
        server.get(target)
        started = time.monotonic()
        replies = list(clients.map(lambda _: server.get(target), range(50)))
        taken = time.monotonic() - started
        assert [(reply.status, reply.body) for reply in replies] == [(200, body)] * 50
        assert taken < 50 * 0.2 / 2, "they waited one after another"
