"""One cell: start its server, ask it everything, hold the answers against the known limits."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._cells import Cell
from .._doorman import Doorman
from .._process import Server, start
from ._checks import CHECKS, Visit
from ._limits import limit_of

PATIENCE = 10.0
PATIENCE_WITH_LIMITS = 1.0  # what is not expected to come is not waited for as long


def hold(cell: Cell, folder: Path) -> None:
    """Raise an AssertionError that names each check which did not go as expected."""
    server = start(cell.name, cell.command(), cell.environ(), folder)
    try:
        failures = {check: text for check in CHECKS if (text := failure(cell, check, server))}
    finally:
        server.stop()
    server.excused = tuple(excused(cell))
    server.check_log()
    wrong = list(surprises(cell, failures))
    assert not wrong, "\n\n".join([*wrong, server.tail()])
    note(cell, list(failures))


def failure(cell: Cell, check: str, server: Server) -> str:
    """The traceback of a check that fails."""
    patience = PATIENCE_WITH_LIMITS if limit_of(cell.server, cell.app, check) else PATIENCE
    try:
        with Doorman() as doorman:
            CHECKS[check](Visit(server, doorman, patience))
    except Exception:
        return traceback.format_exc()
    return ""


def surprises(cell: Cell, failures: Mapping[str, str]) -> Iterator[str]:
    """What failed and is no known limit, and what is one and did not fail."""
    for check in CHECKS:
        limit = limit_of(cell.server, cell.app, check)
        if check in failures and limit is None:
            yield f"{cell.name}: {check}\n{failures[check]}"
        if limit is not None and not limit.timing and check not in failures:
            yield f"{cell.name}: {check} works; take it out of limits.toml"


def excused(cell: Cell) -> Iterator[str]:
    """What may be left to the garbage collector."""
    if limit_of(cell.server, cell.app, "sigterm"):
        yield "<socket.socket"  # the door of the app that was cut off
    if cell.app == "django_async":
        yield "SpooledTemporaryFile"  # Django closes the body of a request unless `send` raises
    if cell.server == "cheroot" and sys.version_info >= (3, 13):
        yield "IOBase.__del__"  # of its own buffer over a socket it has closed, which Python is silent about before


def note(cell: Cell, missed: list[str]) -> None:
    """Write down how it went, where `python -m tests.servers.cells` collects it."""
    if folder := os.environ.get("ANYSGI_CELLS"):
        Path(folder, f"{cell.server}+{cell.app}.json").write_text(json.dumps(missed), encoding="utf-8")
