"""Each check can fail: an app that is a little wrong everywhere passes none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .._cells import Cell
from .._doorman import Doorman
from .._process import Server, start
from ._checks import CHECKS, Visit
from ._run import fault

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    cell = Cell("waitress", "wrong", "native")
    server = start(cell.name, cell.command(), cell.environ(), tmp_path_factory.mktemp("wrong"))
    yield server
    server.stop()


@pytest.mark.parametrize("check", CHECKS)
def test_an_app_that_is_a_little_wrong_fails(wrong: Server, doorman: Doorman, check: str) -> None:
    with pytest.raises((AssertionError, OSError, ValueError)):
        CHECKS[check](Visit(wrong, doorman, patience=0.5))


@pytest.mark.parametrize(
    ("app", "works", "said"),
    [
        ("flask", True, ""),
        ("flask", False, "Traceback"),
        ("django_async", False, ""),
        ("django_async", True, "take it out of limits.toml"),
    ],
)
def test_a_limit_is_expected_and_one_that_no_longer_holds_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, app: str, works: bool, said: str
) -> None:
    def state(visit: Visit) -> None:
        assert works

    monkeypatch.setitem(CHECKS, "state", state)
    text = fault(Cell("uvicorn-httptools", app, "w2a"), "state", None)  # type: ignore[arg-type]  # no server is asked
    assert said in text
    assert bool(said) == bool(text)
