"""`anysgi inventory`: the table for people, the object for programs, and the apps it cannot read."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from anysgi.cli import main
from tests.cli._run import APPS

if TYPE_CHECKING:
    from pathlib import Path


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


def test_middleware_that_hides_its_app_is_told_with_the_app_to_name_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "layered.py").write_text(LAYERED)
    result = inventory("layered:application")
    assert (result.exit_code, "Flask app 'layered' (WSGI): 2 routes" in result.output) == (0, True), result.output
    result = inventory("layered:hidden")
    assert (result.exit_code, "or middleware hides it" in result.output) == (1, True), result.output
    assert "Found there: layered:flask_app, layered:application" in result.output


def test_a_router_is_told_with_what_to_name_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "gate.py").write_text(ROUTER)
    result = inventory("gate:router")
    assert (result.exit_code, "gate:router is a Router" in result.output) == (1, True), result.output
    assert "name one of them" in result.output


ROUTER = """
from flask import Flask
from anysgi.migration import Router, RouteTable

router = Router(Flask("old"), Flask("new"), table=RouteTable())
"""
LAYERED = """
from flask import Flask

flask_app = Flask(__name__)
flask_app.get("/")(lambda: "")


def middleware(app):
    return lambda environ, start_response: app(environ, start_response)


class Hides:
    def __init__(self, inside):
        self.inside = inside

    def __call__(self, environ, start_response):
        return self.inside(environ, start_response)


application = middleware(flask_app)
hidden = Hides(flask_app)
"""


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
