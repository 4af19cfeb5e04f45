"""dulwich's HTTP server with two empty repositories."""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import Any

from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain


def make() -> Any:
    repositories = {f"/{name}": repository(Path(name).absolute()) for name in ("one.git", "other.git")}
    return make_wsgi_chain(DictBackend(repositories))


def repository(path: Path) -> Repo:
    made = Repo(str(path)) if path.exists() else Repo.init_bare(str(path), mkdir=True)
    atexit.register(made.close)
    return made
