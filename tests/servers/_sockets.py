"""Real servers with WebSocket apps, which of them runs what, and a client on a raw socket that may send any bytes."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from ._process import running

if TYPE_CHECKING:
    from pathlib import Path

    from ._process import Server

SOCK, WEBSOCKET = "apps.sock_apps", "apps.websocket_apps"
GUNICORN = ["-m", "gunicorn", f"{WEBSOCKET}:application", "--bind", "fd://{fd}", "--graceful-timeout", "1"]
COMMANDS: dict[str, list[str]] = {
    "uvicorn": ["-m", "uvicorn", f"{SOCK}:application", "--fd", "{fd}", "--timeout-graceful-shutdown", "3"],
    "hypercorn": ["-m", "hypercorn", f"asgi:{SOCK}:application", "--bind", "fd://{fd}", "--workers", "0"],
    "daphne": ["-m", "daphne", f"{SOCK}:application", "--fd", "{fd}"],
    "granian": ["-m", "granian", f"{SOCK}:application", "--interface", "asgi", "--port", "{port}"],
    "gunicorn-gthread": [*GUNICORN, "--worker-class", "gthread", "--threads", "250", "--no-control-socket"],
    "gunicorn-gevent": [*GUNICORN, "--worker-class", "gevent", "--no-control-socket"],
    "gevent": ["-m", "apps.pywsgi_run", "{fd}", WEBSOCKET],
    "werkzeug": ["-m", "apps.werkzeug_run", "{fd}", WEBSOCKET],
}
COMMANDS["hypercorn-trio"] = [*COMMANDS["hypercorn"], "--worker-class", "trio"]
COMMANDS["uvicorn-wsproto"] = [*COMMANDS["uvicorn"], "--ws", "wsproto"]


@dataclass(frozen=True)
class Cell:
    """A server, and an app; what the server is known not to do is said here, and nothing else is excused."""

    server: str
    app: str

    @property
    def hides_reasons(self) -> bool:
        """daphne has no reasons (its `websocket.close` has a code alone)."""
        return self.server == "daphne"

    @property
    def knows_no_empty_messages(self) -> bool:
        """daphne takes an empty message for none, and so does Quart with a binary one."""
        return self.server == "daphne" or self.app == "quart"

    @property
    def hides_codes(self) -> bool:
        """hypercorn answers a client's Close, and tells the app of a 1005; Quart tells its apps of no code at all."""
        return self.server.startswith("hypercorn") or self.app == "quart"

    @property
    def failure(self) -> int:
        """What a WebSocket is closed with when its app fails: Quart and Litestar see to that themselves."""
        return {"quart": 1000, "litestar": 4500}.get(self.app, 1011)

    @property
    def leaves_a_traceback(self) -> bool:
        """hypercorn logs the cancellation of what was open when its time to stop ran out."""
        return self.server.startswith("hypercorn")

    def param(self, *marks: pytest.MarkDecorator) -> Any:
        more = (NEEDS_GEVENT,) if "gevent" in self.server else ()
        return pytest.param(self, id=f"{self.server}-{self.app}", marks=(*marks, *more))


NEEDS_GEVENT = pytest.mark.skipif(find_spec("gevent") is None, reason="gevent comes with make test-slow")


FAST = [Cell("uvicorn", "flask_sock"), Cell("gunicorn-gthread", "starlette")]


def serving(cell: Cell, folder: Path) -> Any:
    return running(f"{cell.server}-{cell.app}", COMMANDS[cell.server], {"ANYSGI_TEST_APP": cell.app}, folder)


def url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/ws"


KEY = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="
PROPER = ["host: x", "connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13", KEY]


def request(server: Server, *fields: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", server.port), 10)
    sock.sendall("\r\n".join(["GET /ws HTTP/1.1", *fields, "", ""]).encode())
    return sock


def head(sock: socket.socket) -> bytes:
    found = b""
    while b"\r\n\r\n" not in found and (byte := sock.recv(1)):
        found += byte
    return found
