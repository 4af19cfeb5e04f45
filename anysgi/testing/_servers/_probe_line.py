"""A line between a probe app inside of a server and its client outside, so that neither has to guess when.

The client listens on 127.0.0.1 and gives the port in the query; the app calls it.  The app says a byte when it stands
where it should, waits there for a byte, and the line ends with the app.  It passes by the server, so that a server in
another process, with many workers or with one thread, is tried the same way.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import anyio
from anyio.abc import SocketStream

# --- the app's end


@contextmanager
def wsgi_line(environ: dict[str, Any]) -> Iterator[socket.socket]:
    """The line of a WSGI app."""
    with closing(socket.create_connection(("127.0.0.1", _port(environ["QUERY_STRING"])))) as line:
        yield line


async def asgi_line(scope: dict[str, Any]) -> SocketStream:
    """The line of an ASGI app, on asyncio or trio."""
    return await anyio.connect_tcp("127.0.0.1", _port(scope["query_string"].decode("ascii")))


def _port(query: str) -> int:
    return int(query.removeprefix("line="))


# --- the client's end


class Line:
    """The client's end; a context manager.

    Args:
        seconds: how long each wait may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(seconds)
        self._app: socket.socket | None = None

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()
        if self._app is not None:
            self._app.close()

    @property
    def query(self) -> str:
        """What the request's target ends with."""
        return f"?line={self._listener.getsockname()[1]}"

    def heard(self) -> bytes:
        """The next byte the app says; empty once it has ended."""
        try:
            if self._app is None:
                self._app, _ = self._listener.accept()
                self._app.settimeout(self._seconds)
            return self._app.recv(1)
        except TimeoutError:
            raise AssertionError(f"the app does not get on within {self._seconds} s") from None

    def go_on(self) -> None:
        """Let the app go on."""
        assert self._app is not None
        self._app.sendall(b"g")
