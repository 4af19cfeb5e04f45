"""dulwich: a real git clones and pushes over HTTP."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from .._process import Server

APP, CONVENTION, READY = "dulwich", "wsgi", "/one.git/HEAD"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(shutil.which("git") is None, reason="needs apt-get install git"),
]


class Git:
    """git as somebody with no settings of theirs runs it."""

    def __init__(self, home: Path) -> None:
        who = {f"GIT_{role}_{what}": "me@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.environ = plain | who | {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}

    def __call__(self, *words: str, folder: Path) -> str:
        done = subprocess.run(
            ["git", *words], cwd=folder, env=self.environ, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"git {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.mark.parametrize(("name", "buffer"), [("one", 1_048_576), ("other", 65_536)], ids=["one request", "chunked"])
def test_git_pushes_and_clones(server: Server, tmp_path: Path, name: str, buffer: int) -> None:
    if server.name == "dulwich-native" and name == "other":
        pytest.skip("dulwich decodes chunks itself where it sees HTTP_TRANSFER_ENCODING; gunicorn has done so before")
    git, url = Git(tmp_path), f"http://127.0.0.1:{server.port}/{name}.git"
    git("clone", url, "mine", folder=tmp_path)
    mine = tmp_path / "mine"
    (mine / "größe.bin").write_bytes(random.Random(1).randbytes(300_000))
    git("add", ".", folder=mine)
    git("commit", "-m", "first", folder=mine)
    git("-c", f"http.postBuffer={buffer}", "push", "origin", "HEAD:refs/heads/main", folder=mine)

    git("clone", "--branch", "main", url, "theirs", folder=tmp_path)
    theirs = tmp_path / "theirs"
    assert (theirs / "größe.bin").read_bytes() == (mine / "größe.bin").read_bytes()
    (theirs / "note.txt").write_text("second\n")
    git("add", ".", folder=theirs)
    git("commit", "-m", "second", folder=theirs)
    git("push", "origin", "main", folder=theirs)

    git("pull", "origin", "main", folder=mine)
    assert git("log", "--format=%s", folder=mine).split() == ["second", "first"]
    assert (mine / "note.txt").read_text() == "second\n"
    git("fsck", "--strict", folder=mine)
