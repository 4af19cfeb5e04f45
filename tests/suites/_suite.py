"""One framework's suite: fetched, run with and without a bridge, and compared with the list of what may fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from ._sdist import fetch, folder

HERE = Path(__file__).parent
OPTIONS = ("-q", "--tb=short", "--timeout=60", "-p", "no:anysgi", "-p", "no:cacheprovider", "-p", "no:asyncio")


@dataclass(frozen=True)
class Reason:
    """Why some tests fail behind a bridge.

    Attributes:
        why: in a sentence or two.
        tests: without their parameters; at least one of the parameters of each fails.
        timing: who is faster decides whether they fail: they may also pass.
        left_out: they are not run: they would wait for long, make other tests fail, or never meet the bridge.
    """

    why: str
    tests: tuple[str, ...]
    timing: bool = False
    left_out: bool = False


@dataclass(frozen=True)
class Result:
    """What came of a suite behind a bridge: the ids of its tests.

    Attributes:
        passed: as without a bridge.
        failed: only behind the bridge.
        broken: without a bridge, too.
        skipped: by the suite.
        log: of both runs.
    """

    passed: frozenset[str]
    failed: frozenset[str]
    broken: frozenset[str]
    skipped: frozenset[str]
    log: str


@dataclass(frozen=True)
class Suite:
    """The suite of a framework.

    Args:
        name: of the package.
        way: what its apps pass through.
    """

    name: str
    way: str

    @cached_property
    def version(self) -> str:
        return version(self.name)

    @property
    def folder(self) -> Path:
        return folder(self.name)

    @property
    def reasons(self) -> list[Reason]:
        listed = tomllib.loads((HERE / f"{self.name}.toml").read_text(encoding="utf-8"))["reason"]
        return [Reason(**{**reason, "tests": tuple(reason["tests"])}) for reason in listed]

    def fetch(self) -> None:
        fetch(self.name, "tests/", "pyproject.toml")

    def run(self) -> Result:
        """Run all of it behind a bridge, then what failed there without one."""
        left_out = [test for reason in self.reasons if reason.left_out for test in reason.tests]
        bridged, log = self._pytest("-p", f"bridged_{self.name}", *(f"--deselect={test}" for test in left_out))
        failed = {test for test, outcome in bridged.items() if outcome == "failed"}
        plain, plain_log = self._pytest(*sorted(failed)) if failed else ({}, "")
        broken = {test for test in failed if plain.get(test) != "passed"}
        return Result(
            passed=frozenset(test for test, outcome in bridged.items() if outcome == "passed"),
            failed=frozenset(failed - broken),
            broken=frozenset(broken),
            skipped=frozenset(test for test, outcome in bridged.items() if outcome == "skipped"),
            log=log + plain_log,
        )

    def _pytest(self, *arguments: str) -> tuple[dict[str, str], str]:
        outcomes = self.folder / "outcomes.json"
        outcomes.unlink(missing_ok=True)
        ours = ("PYTEST", "PYTHONASYNCIODEBUG", "ANYSGI")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *OPTIONS, "-p", "outcomes", *arguments],
            cwd=self.folder,
            env=environ | {"PYTHONPATH": str(HERE / "plugins"), "SUITE_OUTCOMES": str(outcomes)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
        )
        if not outcomes.exists():
            raise AssertionError(f"the suite of {self.name} did not run to its end\n{done.stdout[-5000:]}")
        return json.loads(outcomes.read_text(encoding="utf-8")), done.stdout


FLASK = Suite("flask", "WSGI -> ASGI -> WSGI")
WERKZEUG = Suite("werkzeug", "WSGI -> ASGI -> WSGI")
STARLETTE = Suite("starlette", "ASGI -> WSGI -> ASGI")
SUITES = (FLASK, WERKZEUG, STARLETTE)


def bare(tests: Collection[str]) -> set[str]:
    """Test ids without their parameters."""
    return {test.partition("[")[0] for test in tests}
