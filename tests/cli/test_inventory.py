"""`anysgi inventory`: the table for people, the object for programs, and the apps it cannot read."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner, Result

from anysgi.cli import main
from tests.cli._run import APPS


def inventory(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["inventory", *arguments, "--app-dir", str(APPS)])


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


def test_the_table_has_a_line_for_every_route_with_its_place() -> None:
    result = inventory("fastapi_shop:app")
    assert result.exit_code == 0
    assert "FastAPI app 'fastapi_shop' (ASGI): 7 routes" in result.output
    assert "POST" in result.output
    assert "fastapi_shop.py:36" in result.output
    assert "blocking: pathlib.Path.open (file)" in result.output


def test_the_table_says_what_is_not_known() -> None:
    assert "not known: all that " in inventory("flask_shop:app").output


def test_a_long_list_of_uses_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.cli.inventory._SHOWN", 0)
    assert "and 1 more" in inventory("fastapi_shop:app").output


def test_the_object_has_the_routes() -> None:
    report = json.loads(inventory("flask_shop:app", "--json").output)
    assert (report["target"], report["framework"], report["convention"]) == ("flask_shop:app", "Flask", "wsgi")
    assert [route["path"] for route in report["routes"]] == [
        "/static/<path:filename>",
        "/",
        "/echo",
        "/pid",
        "/environ/<path:key>",
    ]


def test_an_app_without_a_known_framework_is_a_problem_of_the_app() -> None:
    result = inventory("plain:hello")
    assert result.exit_code == 1
    assert "no framework anysgi knows" in result.output


def test_routes_that_cannot_be_read_are_a_problem_of_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_app: object) -> None:
        raise LookupError("no such urlconf")

    monkeypatch.setattr("anysgi.cli.inventory.take_inventory", fail)
    result = inventory("flask_shop:app")
    assert result.exit_code == 1
    assert "LookupError: no such urlconf" in result.output


def test_tables_without_rich_name_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    result = inventory("flask_shop:app")
    assert result.exit_code == 1
    assert 'pip install "anysgi[migration]"' in result.output
