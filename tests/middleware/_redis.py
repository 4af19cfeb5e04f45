"""A real Redis server on a free port of this machine, for the tests of what keeps its state there."""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import redis
import redis.asyncio

from anysgi.middleware import Dual

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOUND = 10.0  # seconds


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """Run a server that keeps nothing on disk; yields its port."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; write: apt-get install redis-server")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert any("Ready to accept connections" in line for line in process.stdout), "redis-server did not start"
            yield port
        finally:
            process.terminate()
            process.stdout.close()
            process.wait(BOUND)


def empty(port: int) -> None:
    """Forget everything."""
    with redis.Redis(port=port) as client:
        client.flushall()


@contextmanager
def clients(port: int) -> Iterator[Dual]:
    """Both clients of an empty server; the asynchronous one is closed by whoever used it, on its loop."""
    empty(port)
    with redis.Redis(port=port) as client:
        yield Dual(sync=client, asynchronous=redis.asyncio.Redis(port=port))
