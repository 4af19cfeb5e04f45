"""uWSGI, which runs no threads of Python's own unless it is told to, and forks after it has loaded the app."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ._process import listening, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ._process import Server

pytestmark = [pytest.mark.server, pytest.mark.slow]

RUN = "import pyuwsgi, sys; pyuwsgi.run(sys.argv[1:])"
# SIGTERM reloads a uWSGI that is not told to die of it.
OPTIONS = [
    "--module",
    "apps.uwsgi_app:application",
    "--need-app",
    "--die-on-term",
    "--master",
    "--buffer-size",
    "65535",
]


@contextmanager
def uwsgi(folder: Path, mode: str, *options: str) -> Iterator[Server]:
    with listening() as free:  # it takes no socket of ours
        port = free.getsockname()[1]
    command = ["-c", RUN, "--http-socket", f"127.0.0.1:{port}", *OPTIONS, *options]
    with running(f"uwsgi-{mode}", command, {"ANYSGI_TEST_MODE": mode}, folder, port=port) as server:
        yield server


@pytest.mark.parametrize("options", [["--processes", "2"], ["--processes", "1", "--lazy-apps"]], ids=["forks", "lazy"])
def test_inline_mode_needs_no_threads(tmp_path: Path, options: list[str]) -> None:
    with uwsgi(tmp_path, "inline", *options) as server:
        places: dict[bytes, set[bytes]] = {}
        for _ in range(20):
            pid, threads, loop = server.get("/where").body.split()
            assert threads == b"1"
            places.setdefault(pid, set()).add(loop)
        assert all(len(loops) == 1 for loops in places.values())  # one loop a process, for all its requests
        with server.client() as client:
            content = bytes(range(256)) * 1000
            assert client.post("/upload", content).body == content
        assert server.get("/later").body == b"hello"
        server.logged("background task")
    assert server.log().count("startup") == len(places)
    if "--lazy-apps" not in options:  # there a busy machine has been seen to end without uWSGI's hook
        server.logged("shutdown")


def test_the_default_mode_works_with_threads(tmp_path: Path) -> None:
    with uwsgi(tmp_path, "thread", "--processes", "2", "--enable-threads") as server:
        for _ in range(5):
            assert server.get("/where").body.split()[1] == b"2"


def test_without_threads_the_default_mode_says_what_to_do(tmp_path: Path) -> None:
    with listening() as free:
        port = free.getsockname()[1]
    command = ["-c", RUN, "--http-socket", f"127.0.0.1:{port}", *OPTIONS]
    with (
        pytest.raises(AssertionError, match=r"mode='inline'"),
        running("uwsgi-threadless", command, {"ANYSGI_TEST_MODE": "thread"}, tmp_path, port=port),
    ):
        pass  # it never answers 200
