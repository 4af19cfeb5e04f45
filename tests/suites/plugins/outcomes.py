"""A pytest plugin: each test's outcome, into the JSON file that SUITE_OUTCOMES names.

    {"tests/test_a.py::test_b": "passed", ...}

A test that passed but whose teardown did not is "failed".
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import _pytest.monkeypatch
import pytest
from _pytest.compat import NOTSET

outcomes: dict[str, str] = {}

# What Flask's conftest.py imports; pytest 9 has renamed it.
if not hasattr(_pytest.monkeypatch, "notset"):
    _pytest.monkeypatch.notset = NOTSET


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish() -> None:
    Path(os.environ["SUITE_OUTCOMES"]).write_text(json.dumps(outcomes, indent=1), encoding="utf-8")
