"""`anysgi routes check` and `anysgi routes explain`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from anysgi.cli import main

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '[[route]]\npath = "/items/<int:id>"\nto = "new"\n'


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["routes", *words])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "routes.toml"
    file.write_text(GOOD)
    return file


def test_a_good_table_is_said_to_be_good(table: Path) -> None:
    result = run("check", str(table))
    assert (result.exit_code, result.output) == (0, f"{table}: 1 route, nothing wrong\n")
    assert json.loads(run("check", str(table), "--json").output)["problems"] == []


def test_everything_wrong_with_a_table_is_said(table: Path) -> None:
    table.write_text('kill = 1\n[[route]]\npath = "/a"\nto = "x"\n')
    result = run("check", str(table))
    assert (result.exit_code, len(result.output.splitlines())) == (1, 2)
    assert f"{table}:4: a side is" in result.output
    assert len(json.loads(run("check", str(table), "--json").output)["problems"]) == 2


def test_explain_says_which_side_and_why(table: Path) -> None:
    result = run("explain", "get", "/items/7", "--table", str(table))
    assert result.output == f"GET /items/7 goes to new: {table}:1 takes it, * /items/<int:id>\n"
    found = json.loads(run("explain", "GET", "/items/7", "--table", str(table), "--json").output)
    assert found["where"] == f"{table}:1"
    assert json.loads(run("explain", "GET", "/", "--table", str(table), "--json").output)["route"] is None


def test_a_query_is_no_part_of_the_path_that_is_explained(table: Path) -> None:
    plain, asked = (run("explain", "GET", path, "--table", str(table)).output for path in ("/items/7", "/items/7?a=/b"))
    assert plain == asked
    refused = run("explain", "GET", "items/7", "--table", str(table))
    assert (refused.exit_code, "write it from the first '/' on" in refused.output) == (2, True), refused.output


def test_a_table_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "nope.toml"))
    assert result.output == f"{tmp_path / 'nope.toml'}: the route table cannot be read: No such file or directory\n"


def test_a_table_that_cannot_be_used_explains_nothing(table: Path) -> None:
    table.write_text("x")
    result = run("explain", "GET", "/", "--table", str(table))
    assert (result.exit_code, f"{table}:1: this is not TOML" in result.output) == (1, True)
