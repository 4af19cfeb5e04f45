"""The fixtures of the matrix: one process per cell, started when first asked for and shared until the session ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ._cells import Cell
from ._doorman import Doorman
from ._process import Server, ServerFailed, start


class Servers:
    """Started on demand, ended all together; what was wrong at the end is raised as one failure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[Cell, Server] = {}

    def get(self, cell: Cell) -> Server:
        server = self.running.get(cell)
        if server is None or server.process.poll() is not None:
            server = self.running[cell] = start(cell.name, cell.command(), cell.environ(), self.folder, cell.ready)
        return server

    def stop(self) -> None:
        wrong = []
        for server in self.running.values():
            server.terminate()
        for server in self.running.values():
            try:
                server.wait()
                server.check_log()
            except ServerFailed as failure:
                wrong.append(str(failure))
        if wrong:
            raise ServerFailed("\n\n".join(wrong))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    kept = os.environ.get("ANYSGI_TEST_LOGS")  # a folder, to read the logs afterwards
    folder = Path(kept, f"{os.getpid()}") if kept else tmp_path_factory.mktemp("servers")
    folder.mkdir(parents=True, exist_ok=True)
    pool = Servers(folder)
    yield pool
    pool.stop()


@pytest.fixture
def server(servers: Servers, cell: Cell) -> Server:
    return servers.get(cell)


@pytest.fixture
def doorman() -> Iterator[Doorman]:
    with Doorman() as listening:
        yield listening
