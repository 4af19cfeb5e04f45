"""The router behind real servers: found by each of them, and killed under load without losing a request."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from anysgi.migration import FileSwitches, Overrides
from tests.servers._process import Server, running, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.server

HERE = "tests.migration.served"
UVICORN = ["-m", "uvicorn", "--fd", "{fd}", "--timeout-graceful-shutdown", "3", "--no-access-log"]
GUNICORN = ["-m", "gunicorn", "--bind", "fd://{fd}", "--graceful-timeout", "3", "--no-control-socket"]
TABLE = 'default = "legacy"\n' + "".join(
    f'[[route]]\npath = "{path}"\nto = "new"\nmethods = ["{method}"]\n'
    for method, path in (("GET", "/hello"), ("POST", "/echo"), ("GET", "/stream"), ("GET", "/missing"))
)
ROUNDS = 15  # times four requests, for each client
CLIENTS = 6


def served(words: list[str], folder: Path) -> Any:
    """A server whose table and switches lie in `folder`."""
    (folder / "routes.toml").write_text(TABLE)
    return running("router", words, {"ANYSGI_TEST_TABLE": str(folder / "routes.toml")}, folder)


def traffic(server: Server) -> set[bytes]:
    """One client on one connection; every answer is checked in full.  Returns which sides were met."""
    sides = set()
    with server.client() as client:
        for number in range(ROUNDS):
            upload = b"%d " % number * 5000
            replies = [client.get("/hello"), client.post("/echo", upload)]
            replies += [client.get("/stream"), client.get("/missing")]
            assert all(reply.status == 200 and reply.complete for reply in replies)
            hello, echo, stream, missing = (reply.body for reply in replies)
            side = echo.partition(b" ")[0]
            assert hello in (b"legacy", b"new")
            assert echo == side + b" " + upload
            assert stream in (b"legacy " * 20, b"new " * 20)
            assert missing == b"legacy"
            sides |= {hello, side}
    return sides


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([*UVICORN, f"{HERE}:asgi_app"], id="uvicorn"),
        pytest.param([*GUNICORN, "--worker-class", "gthread", "--threads", "8", f"{HERE}:application"], id="gunicorn"),
    ],
)
def test_a_kill_under_load_loses_no_request(words: list[str], tmp_path: Path) -> None:
    with served(words, tmp_path) as server, ThreadPoolExecutor(CLIENTS) as clients:
        switches = FileSwitches(tmp_path / "routes.switches.json")
        tasks = [clients.submit(traffic, server) for _ in range(CLIENTS)]
        done = threading.Event()
        for task in tasks:
            task.add_done_callback(lambda _: done.set() if all(each.done() for each in tasks) else None)
        kills = 0
        while not done.wait(0.02):
            kills += 1
            switches.write(Overrides(kill=kills % 2 == 1))
        assert {side for task in tasks for side in task.result()} == {b"legacy", b"new"}
        assert kills > 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        pytest.param([*UVICORN, f"{HERE}:router"], id="uvicorn"),
        pytest.param(["-m", "daphne", "--fd", "{fd}", f"{HERE}:router"], id="daphne"),
        pytest.param(
            ["-m", "hypercorn", f"asgi:{HERE}:asgi_app", "--bind", "fd://{fd}", "--workers", "0"], id="hypercorn"
        ),
        pytest.param([*GUNICORN, f"{HERE}:router"], id="gunicorn"),
    ],
)
def test_servers_find_out_how_to_call_the_router(words: list[str], tmp_path: Path) -> None:
    with served(words, tmp_path) as server:
        assert server.get("/hello").body == b"new"
        assert server.get("/missing").body == b"legacy"
        FileSwitches(tmp_path / "routes.switches.json").write(Overrides(kill=True))
        until(lambda: server.get("/hello").body == b"legacy", "the kill switch is read")
