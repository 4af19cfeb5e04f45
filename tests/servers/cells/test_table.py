"""The tables in the README and the docs are those of the last run, and the last run is one of today's checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ._checks import CHECKS
from ._limits import LIMITS, limit_of
from ._matrix import HALVES
from ._table import PLACES, RESULTS, between

RENEW = "run `python -m tests.servers.cells`"


def results() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("path", "word", "render"), PLACES, ids=[word for _, word, _ in PLACES])
def test_the_table_is_that_of_the_last_run(path: Path, word: str, render: Callable[[dict[str, Any]], str]) -> None:
    found, _ = between(path.read_text(encoding="utf-8"), word)
    assert found == render(results()), RENEW


def test_every_cell_was_run_and_missed_what_is_listed() -> None:
    expected = {
        server.cell: {name: [c for c in CHECKS if limit_of(server.cell, name, c)] for name in frameworks}
        for servers, frameworks in HALVES.values()
        for server in servers
    }
    assert results()["missed"] == expected, RENEW


def test_every_limit_names_things_that_exist() -> None:
    servers = {server.cell for found, _ in HALVES.values() for server in found}
    frameworks = {name for _, names in HALVES.values() for name in names}
    for limit in LIMITS:
        assert limit.check in CHECKS
        assert limit.server in servers | {""}
        assert limit.framework in frameworks | {""}
