"""100 MiB from a file under gunicorn: Starlette's FileResponse in AsgiToWsgi, and gunicorn's own sendfile.

Both are sites of one gunicorn with threads, asked in turns by one client that throws the bytes away; and so is ours
without the server's help, to show what that is worth.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

from benchmarks.measure import Result, Slice, take_turns
from benchmarks.peers import OURS
from benchmarks.watch import ROOT

SIZE = 100 * 1024 * 1024
NATIVE, BLOCKS = "gunicorn's own sendfile", "anysgi without wsgi.file_wrapper"
PATHS = {NATIVE: "/native", OURS: "/ours", BLOCKS: "/blocks"}


def fetch(port: int, path: str) -> float:
    """Milliseconds for one download."""
    buffer = bytearray(1 << 20)
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        total = 0
        while size := connection.recv_into(buffer):
            total += size
    assert total > SIZE, total
    return (time.perf_counter() - started) * 1e3


def run(rounds: int, say: Callable[[str], None]) -> Result:
    """`rounds` downloads from each site."""
    result = Result("files", "100 MiB from a file on gunicorn gthread, Starlette's FileResponse", "ms")
    with tempfile.NamedTemporaryFile() as file, socket.create_server(("127.0.0.1", 0)) as listener:
        file.write(os.urandom(1 << 20) * (SIZE >> 20))
        file.flush()
        fd, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "benchmarks.file_site:application", "--bind", f"fd://{fd}"]
        server = subprocess.Popen(
            [*command, "--threads", "4", "--no-control-socket", "--log-level", "warning"],
            pass_fds=[fd],
            cwd=ROOT,
            env={**os.environ, "ANYSGI_BENCH_FILE": file.name},
        )
        try:
            slices: dict[str, Slice] = {who: partial(fetch, port, path) for who, path in PATHS.items()}
            for warm in slices.values():
                warm()
            take_turns(result, slices, rounds, say)
        finally:
            server.terminate()
            server.wait(10)
    return result
