"""A real server as a process of its own: started on a bound socket, watched, and ended by its id.

The test binds and listens, and the server inherits the socket: no port can be lost between two steps.  Ready means
that GET /hello was answered while the process lived.  All its output goes to one file.  It is stopped by SIGTERM;
when that is not enough, it is killed and the test that asked for it fails.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ._client import Client, Reply

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
READY_IN = 30.0
STOP_IN = 12.0
# What no log of a healthy run may hold: the interpreter's and asyncio's ways of saying that something was leaked.
ALARMS = (
    "Exception ignored in",
    "was never awaited",
    "Task was destroyed but it is pending",
    "exception was never retrieved",
    "coroutine ignored GeneratorExit",
    "ResourceWarning",
    "Fatal Python error",
)


class ServerFailed(AssertionError):
    """The server did not start, did not stop, or said something alarming; its log follows."""


def until(true: Callable[[], object], what: str, within: float = 10.0) -> None:
    """Look again and again, for things that send no event: another process's threads, files and memory."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(0.01)


@dataclass
class Server:
    """One running server.  `port` answers; `log()` is all it wrote."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    output: Path
    journal: Path
    stopped: bool = field(default=False)
    excused: tuple[str, ...] = ()  # lines of the log with one of these in them raise no alarm

    def client(self, **options: float) -> Client:
        return Client(self.port, **options)

    def get(self, target: str, *headers: str, timeout: float = 15.0) -> Reply:
        with Client(self.port, timeout=timeout) as client:
            return client.get(target, *headers)

    def log(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def logged(self, text: str, within: float = 10.0) -> None:
        """Wait until the log holds `text`."""
        until(lambda: text in self.log(), f"{self.name} logs {text!r}\n{self.log()[-4000:]}", within)

    def events(self) -> list[list[str]]:
        """The journal: `[word, pid]` for each startup and shutdown."""
        text = self.journal.read_text(encoding="utf-8") if self.journal.exists() else ""
        return [line.split() for line in text.splitlines()]

    def worker(self) -> psutil.Process:
        """The process that runs the app, which under gunicorn is a child of the one we started."""
        return psutil.Process(self.get("/where").json()["pid"])

    def listens(self) -> bool:
        """Whether it takes connections; asked of the system, as hypercorn leaves open what it takes while it stops."""
        with suppress(psutil.NoSuchProcess):
            server = psutil.Process(self.process.pid)
            return any(self.port in listening_ports(process) for process in (server, *server.children(recursive=True)))
        return False

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, within: float = STOP_IN) -> int:
        """Its exit code; after `within` seconds it and its children are killed, which is a failure."""
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            kill(self.process)
            raise ServerFailed(f"{self.name} did not end within {within} s of SIGTERM\n{self.tail()}") from None
        finally:
            self.stopped = True
        return code

    def stop(self, within: float = STOP_IN) -> None:
        if not self.stopped:
            self.terminate()
            self.wait(within)

    def tail(self) -> str:
        return f"--- {self.output}\n{self.log()[-6000:]}"

    def check_log(self) -> None:
        lines = self.log().splitlines()
        log = "\n".join(line for line in lines if not any(text in line for text in self.excused))
        if found := [alarm for alarm in ALARMS if alarm in log]:
            place = max(0, log.index(found[0]) - 500)
            raise ServerFailed(f"{self.name} wrote {found}\n…{log[place : place + 2500]}")


def listening_ports(process: psutil.Process) -> set[int]:
    with suppress(psutil.NoSuchProcess):
        sockets = process.net_connections("tcp")
        return {its.laddr.port for its in sockets if its.status == psutil.CONN_LISTEN}
    return set()


def listening() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    return listener


def free_port() -> int:
    """A port that was free a moment ago, and is none of those that the kernel gives to outgoing connections."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def environment(extra: Mapping[str, str], folder: Path, name: str) -> dict[str, str]:
    mine = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}",
        "PYTHONASYNCIODEBUG": "1",
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "1",  # glibc's arena per thread would drown what the memory tests look for
        "ANYSGI_TEST_JOURNAL": str(folder / f"{name}.journal"),
    }
    return os.environ | mine | dict(extra)


_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Linux kills the server when pytest itself is killed, which runs no fixture's end."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(name: str, command: list[str], environ: Mapping[str, str], folder: Path, ready: str = "/hello") -> Server:
    """Start `python <command>`; returns when it answers.

    In the command `{fd}` stands for a listening socket, `{port}` for a free port where a server takes no socket, and
    `{folder}` for its folder.  It is up once it answers GET `ready` with 200.
    """
    listener = listening()
    descriptor = listener.fileno()
    output = folder / f"{name}.log"
    port = free_port() if any("{port}" in word for word in command) else listener.getsockname()[1]
    with listener, output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *(word.format(fd=descriptor, port=port, folder=folder) for word in command)],
            env=environment(environ, folder, name),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=[descriptor],
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )
    server = Server(name, process, port, output, folder / f"{name}.journal")
    try:
        become_ready(server, ready)
    except BaseException:
        kill(process)
        raise
    return server


def kill(process: subprocess.Popen[bytes]) -> None:
    """With all it has started; what has ended by itself is left alone."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait(5)


def become_ready(server: Server, target: str) -> None:
    """The first 200 to GET `target`, asked for again while the process lives and the time is not over."""
    deadline = time.monotonic() + READY_IN
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            if server.get(target, timeout=READY_IN).status == 200:
                return
        except OSError:
            pass
        time.sleep(0.02)  # a listener that was closed refuses at once: do not spin
    raise ServerFailed(f"{server.name} did not become ready (exit code {server.process.poll()})\n{server.tail()}")


@contextmanager
def running(
    name: str, command: list[str], environ: Mapping[str, str], folder: Path, ready: str = "/hello"
) -> Iterator[Server]:
    """A server for one test or one module; ended in good order, with a clean log, unless the body failed."""
    server = start(name, command, environ, folder, ready)
    try:
        yield server
    except BaseException:
        if not server.stopped:
            server.terminate()
            try:
                server.wait()
            except ServerFailed:
                pass  # the body's own failure says more
        raise
    server.stop()
    server.check_log()
