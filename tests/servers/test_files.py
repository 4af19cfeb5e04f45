"""Files leave through what the server has for them: gunicorn's sendfile, granian's path send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ._process import running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.server

SPARED = ["-W", "error", "-W", "ignore:unclosed <socket:ResourceWarning"]
GUNICORN = ["-m", "gunicorn", "--bind", "fd://{fd}", "--no-control-socket"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.bin"
    path.write_bytes(bytes(range(256)) * 4096)
    return path


@pytest.mark.parametrize("worker", [["sync"], ["gthread", "--threads", "4"]], ids=["sync", "gthread"])
def test_fastapis_file_response_leaves_by_gunicorns_sendfile(file: Path, tmp_path: Path, worker: list[str]) -> None:
    command = [*SPARED, *GUNICORN, "apps.files_app:application", "--worker-class", *worker]
    with running("gunicorn-files", command, {"ANYSGI_TEST_FILE": str(file)}, tmp_path) as server:
        reply = server.get("/file")
        assert (reply.status, reply.body) == (200, file.read_bytes())
        server.logged(f"sendfile {file}: True")


def test_a_file_whose_outcome_is_logged_leaves_by_gunicorns_sendfile(file: Path, tmp_path: Path) -> None:
    command = [*SPARED, *GUNICORN, "apps.files_app:watched_shop"]
    with running("gunicorn-watched", command, {"ANYSGI_TEST_FILE": str(file)}, tmp_path) as server:
        reply = server.get("/file")
        assert (reply.status, reply.body) == (200, file.read_bytes())
        server.logged(f"sendfile {file}: True")
        server.logged(f"outcome: complete {file.stat().st_size}")


@pytest.mark.slow
def test_flasks_send_file_leaves_by_granians_path_send(file: Path, tmp_path: Path) -> None:
    command = ["-m", "granian", "apps.files_app:asgi_application", "--interface", "asgi", "--port", "{port}"]
    with running("granian-files", command, {"ANYSGI_TEST_FILE": str(file)}, tmp_path) as server:
        reply = server.get("/file")
        assert (reply.status, reply.body) == (200, file.read_bytes())
        server.logged(f"pathsend {file}")
