"""uWSGI, which runs no threads of Python's own unless it is told to, and forks after it has loaded the app."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from . import _process
from ._cells import UWSGI, WRAPPED
from ._process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ._process import Server

pytestmark = [pytest.mark.server, pytest.mark.slow]

COMMAND = [word.replace(WRAPPED, "apps.uwsgi_app:application") for word in UWSGI]


@contextmanager
def uwsgi(folder: Path, mode: str, *options: str) -> Iterator[Server]:
    with running(f"uwsgi-{mode}", [*COMMAND, *options], {"ANYSGI_TEST_MODE": mode}, folder) as server:
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


def test_without_threads_the_default_mode_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_process, "READY_IN", 10.0)
    with pytest.raises(AssertionError, match=r"mode='inline'"), uwsgi(tmp_path, "thread"):
        pass  # it never answers 200
