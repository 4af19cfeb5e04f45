"""100 MiB from a file under gunicorn: Starlette's FileResponse in AsgiToWsgi, and gunicorn's own sendfile.

    python -m benchmarks.files

Both are sites of one gunicorn with threads, asked in turns by one client that throws the bytes away.  The figure to
hold is <= 1.2.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import Any

from starlette.responses import FileResponse

from anysgi import AsgiToWsgi

SIZE = 100 * 1024 * 1024
ROUNDS = 15
NATIVE, OURS, BLOCKS = "/native", "/ours", "/blocks"


def plain(environ: dict[str, Any], start_response: Any) -> Any:
    path = os.environ["ANYSGI_BENCH_FILE"]
    start_response("200 OK", [("Content-Length", str(os.stat(path).st_size))])
    return environ["wsgi.file_wrapper"](open(path, "rb"))


async def starlette(scope: Any, receive: Any, send: Any) -> None:
    await FileResponse(os.environ["ANYSGI_BENCH_FILE"])(scope, receive, send)


ours = AsgiToWsgi(starlette, lifespan="off")


def application(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    if path == BLOCKS:  # what it costs without the server's help
        environ = {key: value for key, value in environ.items() if key != "wsgi.file_wrapper"}
    return (plain if path == NATIVE else ours)(environ, start_response)


def fetch(port: int, path: str) -> float:
    """Seconds for one download."""
    buffer = bytearray(1 << 20)
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        total = 0
        while size := connection.recv_into(buffer):
            total += size
    assert total > SIZE, total
    return time.perf_counter() - started


def main() -> None:
    with tempfile.NamedTemporaryFile() as file, socket.create_server(("127.0.0.1", 0)) as listener:
        file.write(os.urandom(1 << 20) * (SIZE >> 20))
        file.flush()
        fd, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "benchmarks.files:application", "--bind", f"fd://{fd}"]
        server = subprocess.Popen(
            [*command, "--threads", "4", "--no-control-socket", "--log-level", "warning"],
            pass_fds=[fd],
            env={**os.environ, "ANYSGI_BENCH_FILE": file.name},
        )
        try:
            times: dict[str, list[float]] = {NATIVE: [], OURS: [], BLOCKS: []}
            for path in times:
                fetch(port, path)
            for _ in range(ROUNDS):
                for path, taken in times.items():
                    taken.append(fetch(port, path))
        finally:
            server.terminate()
            server.wait(10)
    native = median(times[NATIVE])
    for path, taken in times.items():
        print(f"{path:8} {median(taken) * 1e3:7.1f} ms   {median(taken) / native:5.2f} x gunicorn's own")


if __name__ == "__main__":
    main()
