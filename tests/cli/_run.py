"""Run the `anysgi` command, to its end or as a server on a free port; and one small HTTP client.

Nothing here waits for a fixed time: a server is ready when it accepts a connection, within `PATIENCE` seconds.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).with_name("apps")
PATIENCE = 30.0  # seconds


def anysgi(*arguments: str, cwd: Path = APPS) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "anysgi", *arguments]
    return subprocess.run(command, cwd=cwd, env=_environment(), capture_output=True, text=True, timeout=PATIENCE)


@dataclass
class Served:
    """A server process that answers on a port."""

    process: subprocess.Popen[bytes]
    port: int
    output: IO[bytes]

    def get(self, path: str = "/") -> tuple[int, str]:
        """GET a path on a connection of its own: status and text."""
        return request(self.port, "GET", path)

    def log(self) -> str:
        """Return everything the server printed so far, on either stream."""
        return Path(self.output.name).read_text()

    def stop(self) -> int:
        """Ask it to end, as systemd would, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(*arguments: str, cwd: Path = APPS, port: int | None = None) -> Iterator[Served]:
    """Run `anysgi serve` with these arguments on a free port until the block ends."""
    port = free_port() if port is None else port
    with running("-m", "anysgi", "serve", *arguments, "--port", str(port), cwd=cwd, port=port) as served:
        yield served


@contextmanager
def running(*arguments: str, cwd: Path, port: int) -> Iterator[Served]:
    """Run python with these arguments, as a server on `port` (0: whichever it prints), until the block ends."""
    with tempfile.NamedTemporaryFile(suffix=".log") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=cwd, env=_environment(), stdout=output, stderr=subprocess.STDOUT
        )
        served = Served(process, port, output)
        try:
            if port:
                wait_until(lambda: process.poll() is not None or accepts(port))
                assert process.poll() is None, f"the server ended:\n{served.log()}"
            yield served
        finally:
            _end(process)


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until a condition holds; fail after `PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"nothing happened in {PATIENCE} seconds"
        threading.Event().wait(0.03)


def accepts(port: int) -> bool:
    """Whether something accepts connections on a port."""
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def request(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """Send one request on a connection of its own; return status and text."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as client:
        client.request(method, path, body, {"connection": "close"})
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _environment() -> dict[str, str]:
    """Ours, without what pytest and other tests left in it, and with this checkout importable."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHONASYNCIO"))}
    return mine | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and the workers it started, politely first."""
    family = [] if process.poll() is not None else psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
    for worker in psutil.wait_procs(family, timeout=5)[1]:
        worker.kill()
