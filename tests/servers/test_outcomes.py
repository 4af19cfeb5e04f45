"""How a response ended is told once, whatever a server does with an app whose client has left.

Some servers raise in `send`, some stay silent and say it in `receive`, some cancel; those of WSGI stop and close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ._cells import COMMANDS, WRAPPED
from ._process import running, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.server

SERVERS = {
    "uvicorn-httptools": "asgi_application",
    "hypercorn": "asgi_application",
    "daphne": "asgi_application",
    "granian": "asgi_application",
    "gunicorn-asgi": "asgi_application",
    "gunicorn-gthread": "application",
    "granian-wsgi": "application",
}
FAST = ("uvicorn-httptools", "gunicorn-gthread")


def marked(name: str) -> object:
    return name if name in FAST else pytest.param(name, marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [marked(name) for name in SERVERS])
def test_a_client_that_leaves_a_stream_is_told_of_once(name: str, tmp_path: Path) -> None:
    command = [word.replace(WRAPPED, f"apps.outcome_app:{SERVERS[name]}") for word in COMMANDS[name]]
    with running(f"outcomes-{name}", command, {}, tmp_path) as server:
        for leave in ("close", "reset"):
            client = server.client()
            client.request("GET", "/stream")
            next(client.pieces(client.head()))
            getattr(client, leave)()
        assert server.get("/hello").body == b"hello"
        until(lambda: server.log().count("/stream: aborted\n") == 2, f"{name} ends both streams\n{server.log()}")
    log = server.log().splitlines()
    assert log.count("/stream: aborted") == 2
    assert "/stream: complete" not in log
    assert "/stream: error" not in log
