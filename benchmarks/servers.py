"""Real servers as processes on 127.0.0.1: the command lines, starting, waiting until they answer, memory, stopping.

Every process here is ours and is ended by its own id.  A server gets the cores it is told to use before its first
instruction, so that its threads and children inherit them.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from benchmarks.machine import version
from benchmarks.payload import HELLO
from benchmarks.watch import ROOT

STARTUP = 40.0  # seconds; eight workers importing Flask on one slow core take a while


class ServerError(Exception):
    """A server did not start or gave a wrong answer; the message carries the end of its log."""


def uvicorn(site: str, port: int) -> list[str]:
    options = ["--factory", "--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    return ["uvicorn", f"benchmarks.sites:{site}", *options, "--backlog", "2048"]


def gunicorn(site: str, port: int, workers: int = 1, threads: int = 8) -> list[str]:
    options = ["-k", "gthread", "-w", str(workers), "--threads", str(threads), "-b", f"127.0.0.1:{port}"]
    # Since 25 gunicorn keeps a control socket in the home directory: several at once would fight over it.
    quiet = ["--no-control-socket"] if int(version("gunicorn").split(".")[0]) >= 25 else []
    return ["gunicorn", f"benchmarks.sites:{site}()", *options, "--log-level", "warning", *quiet]


def waitress(site: str, port: int, threads: int = 8) -> list[str]:
    options = ["--call", "--listen", f"127.0.0.1:{port}", "--threads", str(threads)]
    return ["waitress", *options, f"benchmarks.sites:{site}"]


def granian(site: str, port: int, threads: int = 8) -> list[str]:
    options = ["--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    options += ["--blocking-threads", str(threads), "--no-access-log", "--log-level", "warning"]
    return ["granian", *options, f"benchmarks.sites:{site}"]


def werkzeug(site: str, port: int) -> list[str]:
    return ["flask", "--app", f"benchmarks.sites:{site}", "run", "--host", "127.0.0.1", "--port", str(port)]


@dataclass
class Server:
    """One contender: `command(port)` starts it; `cores` None leaves it unbound."""

    name: str
    command: Callable[[int], list[str]]
    path: str = "/"
    cores: list[int] | None = None
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    log: Path | None = None

    def launch(self) -> None:
        """Starts the process and does not wait for it."""
        self.port = free_port()
        with tempfile.NamedTemporaryFile(prefix="anysgi-bench-", suffix=".log", delete=False) as log:
            self.log = Path(log.name)
            bind = partial(os.sched_setaffinity, 0, self.cores) if self.cores else None
            command = [sys.executable, "-W", "ignore", "-m", *self.command(self.port)]
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT, preexec_fn=bind
            )

    def wait_until_right(self) -> None:
        """Returns as soon as the server gives the right answer."""
        assert self.process is not None
        deadline = time.monotonic() + STARTUP
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerError(f"{self.name} ended at once: {self.tail()}")
            with suppress(OSError, http.client.HTTPException):
                self.check()
                return
            time.sleep(0.05)
        raise ServerError(f"{self.name} did not answer within {STARTUP:g} s: {self.tail()}")

    def check(self) -> None:
        """One request whose answer is compared byte by byte."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", self.path)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200 or body != HELLO:
            raise ServerError(f"{self.name} answered {response.status} with {len(body)} bytes: {self.tail()}")

    def tail(self) -> str:
        """The last line of the server's log."""
        text = self.log.read_text(errors="replace").strip() if self.log else ""
        return text.splitlines()[-1][:200] if text else "(empty log)"

    def family(self) -> list[psutil.Process]:
        if self.process is None or self.process.poll() is not None:
            return []
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def memory(self) -> dict[str, float]:
        """MiB of the whole family: RSS summed up, and PSS, which counts shared pages once, where /proc tells it."""
        sums = {"rss": 0.0, "pss": 0.0}
        for process in self.family():
            with suppress(psutil.Error, OSError):
                sums["rss"] += process.memory_info().rss / 2**20
                sums["pss"] += pss(process.pid)
        return sums

    def processor(self) -> float:
        """Seconds of processor time the family has used so far."""
        total = 0.0
        for process in self.family():
            with suppress(psutil.Error):
                total += sum(process.cpu_times()[:2])
        return total

    def stop(self) -> None:
        family = self.family()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, alive = psutil.wait_procs(family, timeout=5)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait()
        if self.log is not None:
            self.log.unlink(missing_ok=True)


def pss(pid: int) -> float:
    """Proportional set size of one process in MiB; 0 where the kernel does not tell."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
