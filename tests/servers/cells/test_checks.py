"""Each check can fail: an app that is a little wrong everywhere passes none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .._cells import Cell
from .._doorman import Doorman
from .._process import Server, running, start
from ._checks import CHECKS, Visit
from ._run import surprises

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    cell = Cell("waitress", "wrong", "native")
    server = start(cell.name, cell.command(), cell.environ(), tmp_path_factory.mktemp("wrong"))
    yield server
    server.stop()


@pytest.mark.parametrize("cell", [Cell("hypercorn", "asgi", "native"), Cell("gunicorn-gthread", "wsgi", "native")])
def test_a_server_listens_until_it_has_ended(cell: Cell, tmp_path: Path) -> None:
    with running(cell.name, cell.command(), cell.environ(), tmp_path) as server:
        assert server.listens()
    assert not server.listens()


@pytest.mark.parametrize("check", CHECKS)
def test_an_app_that_is_a_little_wrong_fails(wrong: Server, doorman: Doorman, check: str) -> None:
    with pytest.raises((AssertionError, OSError, ValueError)):
        CHECKS[check](Visit(wrong, doorman, patience=0.5))


@pytest.mark.parametrize(
    ("app", "failures", "said"),
    [
        ("starlette", {}, []),
        ("starlette", {"state": "why"}, ["uwsgi-starlette: state\nwhy"]),
        ("django_async", {"state": "why"}, []),
        ("django_async", {}, ["uwsgi-django_async: state works; take it out of limits.toml"]),
    ],
)
def test_a_limit_is_expected_and_one_that_no_longer_holds_is_not(
    app: str, failures: dict[str, str], said: list[str]
) -> None:
    assert list(surprises(Cell("uwsgi", app, "a2w"), failures)) == said


def test_a_limit_that_depends_on_who_is_faster_may_also_not_show() -> None:
    for failures in ({}, {"sigterm": "why"}):
        assert not [*surprises(Cell("waitress", "starlette", "a2w"), failures)]
