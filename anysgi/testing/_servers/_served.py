"""`ServedApp` and `served_by`: an app on a real server, started by a command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeAlias

_LOOK = 0.02  # seconds between two looks: nobody tells when a process begins to listen, or has logged
_STOP_IN = 5.0


@dataclass(frozen=True, slots=True)
class ServedApp:
    """An app that a server serves just now.

    Attributes:
        port: where it answers, without TLS.
        host: the address.
        log: gives all that the server has logged so far; None: nobody knows, and rules about logs are not tried.
    """

    port: int
    host: str = "127.0.0.1"
    log: Callable[[], str] | None = None


Serve: TypeAlias = Callable[[Any], AbstractContextManager[ServedApp]]
"""Serves an app for the length of a `with` block."""


def served_by(*command: str, bound: float = 30.0) -> Serve:
    """Serve apps by a command, for `check_asgi_server` and `check_wsgi_server`.

    Args:
        command: the words of the command; `{app}` in them becomes `module:name`, and `{port}` a free port of 127.0.0.1.
        bound: seconds until it must listen.

    Returns:
        A function that takes an app of a module, and gives a context manager around its `ServedApp`.  Entering it
        raises ConnectionError if the command ends, or does not listen within the bound; the message has its output.
        Leaving it ends the command and what it started.
    """

    @contextmanager
    def serve(app: Any) -> Iterator[ServedApp]:
        port = _free_port()
        words = [word.format(app=f"{app.__module__}:{app.__name__}", port=port) for word in command]
        with tempfile.TemporaryFile() as output:
            # a session of its own, so that its workers end with it
            process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                _wait_for(process, port, bound, output)
                yield ServedApp(port, log=lambda: _text(output))
            finally:
                _end(process)

    return serve


def logged_within(log: Callable[[], str], text: str, bound: float) -> bool:
    """Whether a log comes to hold a text, which may be after the answer it belongs to."""
    deadline = time.monotonic() + bound
    while not (there := text in log()) and time.monotonic() < deadline:
        time.sleep(_LOOK)
    return there


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], port: int, bound: float, output: IO[bytes]) -> None:
    deadline = time.monotonic() + bound
    while not _listens(port):
        try:
            process.wait(_LOOK)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
        how = f"ended with {process.poll()}" if process.poll() is not None else f"did not listen within {bound} s"
        raise ConnectionError(f"{process.args!r} {how}:\n{_text(output)[-2000:]}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


def _text(output: IO[bytes]) -> str:
    """All that was written; read by its place, for the process writes at the same file's end."""
    return os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0).decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_IN)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)  # workers that outlived it
    except ProcessLookupError:
        pass
    process.wait()
