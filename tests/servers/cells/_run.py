"""One cell: start its server, ask it everything, hold the answers against the known limits."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Iterator
from pathlib import Path

from .._cells import Cell
from .._doorman import Doorman
from .._process import Server, start
from ._checks import CHECKS, Visit
from ._limits import limit_of

PATIENCE = 10.0
PATIENCE_WITH_LIMITS = 1.0  # what is not expected to come is not waited for as long


def hold(cell: Cell, folder: Path) -> None:
    """Raise an AssertionError that names each check which did not go as it should."""
    server = start(cell.name, cell.command(), cell.environ(), folder)
    try:
        faults = {check: fault(cell, check, server) for check in CHECKS}
    finally:
        server.stop()
    server.excused = tuple(excused(cell))
    server.check_log()
    wrong = [text for text in faults.values() if text]
    assert not wrong, "\n\n".join([*wrong, server.tail()])
    note(cell)


def excused(cell: Cell) -> Iterator[str]:
    """What may be left to the garbage collector."""
    if limit_of(cell.server, cell.app, "sigterm"):
        yield "<socket.socket"  # the door of the app that was cut off
    if cell.app == "django_async":
        yield "SpooledTemporaryFile"  # Django closes the body of a request unless `send` raises


def fault(cell: Cell, check: str, server: Server) -> str:
    limit = limit_of(cell.server, cell.app, check)
    try:
        with Doorman() as doorman:
            CHECKS[check](Visit(server, doorman, PATIENCE_WITH_LIMITS if limit else PATIENCE))
    except Exception:
        return "" if limit else f"{cell.name}: {check}\n{traceback.format_exc()}"
    return f"{cell.name}: {check} works; take it out of limits.toml" if limit else ""


def note(cell: Cell) -> None:
    """Write down how it went, where `python -m tests.servers.cells` collects it."""
    if folder := os.environ.get("ANYSGI_CELLS"):
        passed = [check for check in CHECKS if not limit_of(cell.server, cell.app, check)]
        Path(folder, f"{cell.server}+{cell.app}.json").write_text(json.dumps(passed), encoding="utf-8")
