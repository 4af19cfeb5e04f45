"""`anysgi routes diff`: its table, its object, its exit codes, and the route table it writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from anysgi.cli import main
from anysgi.migration import RouteTable

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "tests.migration.apps.pairs:old", "tests.migration.apps.pairs:new"

ALIKE = """
from fastapi import FastAPI
from flask import Flask

old, new = Flask(__name__), FastAPI()
for path in ("/a", "/b", "/c", "/d/"):
    old.get(path, endpoint=path.strip("/"))(lambda: "")
    new.get(path)(lambda: "")
"""


def diff(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["routes", "diff", *arguments])


def test_differences_exit_with_1_and_are_told_with_places_and_fixes() -> None:
    result = diff(OLD, NEW)
    assert result.exit_code == 1
    assert "id takes int, else 422" in result.output
    assert "pairs.py:" in result.output
    assert "3 slash, 2 missing-method, 2 extra-method, 1 converter, 2 missing-route" in result.output


def test_what_is_the_same_of_many_routes_is_told_once(tmp_path: Path) -> None:
    """From Flask to FastAPI two facts hold for every route; what is particular must not drown in them."""
    (tmp_path / "alike.py").write_text(ALIKE)
    ignored = ("--ignore", "extra-route", "--ignore", "missing-route")
    words = ("alike:old", "alike:new", "--app-dir", str(tmp_path), *ignored)
    told = diff(*words).output
    assert [line.split()[:4] for line in told.splitlines() if " routes " in line] == [
        ["missing-method", "4", "routes", "HEAD"],
        ["missing-method", "4", "routes", "OPTIONS"],
        ["slash", "3", "routes", "without"],
    ]
    assert told.count("by itself") == 2
    assert told.count("redirect_slashes") == 2, "that of /d/ is another"
    assert "8 missing-method, 4 slash" in told
    report = json.loads(diff(*words, "--json").output)["differences"]
    assert len(report) == 12
    assert all(item["fix"] and item["old_at"] and item["new_at"] for item in report)


def test_the_same_routes_exit_with_0() -> None:
    result = diff(OLD, OLD)
    assert result.exit_code == 0
    assert "have the same routes" in result.output


def test_kinds_that_are_ignored_do_not_count() -> None:
    ignored = [word for kind in ("slash", "missing-method", "extra-method", "converter") for word in ("--ignore", kind)]
    report = json.loads(diff(OLD, NEW, *ignored, "--json").output)
    assert [item["kind"] for item in report["differences"]] == [
        "missing-route",
        "missing-route",
        "extra-route",
        "shadowed",
    ]


def test_a_factory_makes_either_app() -> None:
    result = diff("tests.migration.apps.pairs:make", OLD, "--old-factory", "--json")
    assert (result.exit_code, json.loads(result.output)["differences"]) == (0, [])


def test_the_route_table_is_written(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    result = diff(OLD, NEW, "--write", str(file))
    assert result.exit_code == 1
    assert len(RouteTable.load(file).routes) == 8


def test_a_table_that_is_there_already_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text("# reviewed")
    result = diff(OLD, NEW, "--write", str(file))
    assert (result.exit_code, file.read_text()) == (1, "# reviewed")
    assert "is there already, and stays as it is" in result.output


def test_an_app_that_cannot_be_read_is_named() -> None:
    result = diff("tests.cli.apps.plain:hello", NEW)
    assert result.exit_code == 1
    assert "no framework anysgi knows" in result.output
