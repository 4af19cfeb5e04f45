"""`anysgi lint`: which rules are found in which app, how it is told, and with which exit code."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from anysgi.cli import main

from ._run import APPS

if TYPE_CHECKING:
    from pathlib import Path


def lint(*words: str, folder: Path = APPS) -> Result:
    return CliRunner().invoke(main, ["lint", "--app-dir", str(folder), *words])


def rules(result: Result) -> set[str]:
    return {finding["rule"] for finding in json.loads(result.stdout)["findings"]}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("broken:wsgi_app", {"W043", "W062"}),
        ("broken:first_piece", {"A011", "A022", "A057"}),
        ("broken:empty_piece", {"A059"}),
        ("broken:socket", {"A095", "A102"}),
    ],
)
def test_an_app_is_told_which_rules_it_breaks(target: str, expected: set[str]) -> None:
    result = lint(target, "--json")
    assert expected <= rules(result)
    assert result.exit_code == 1


def test_a_stream_that_outlives_its_client_is_found_and_others_are_only_noted() -> None:
    result = lint("broken:endless", "--bound", "0.1", "--json", "--select", "A060")
    assert rules(result) == {"A060"}
    assert result.exit_code == 0
    assert json.loads(result.stdout)["notes"][0].startswith("get, /: no end within the bound")


def test_websockets_are_tried_where_they_are_accepted() -> None:
    tried = [json.loads(lint(target, "--json").stdout)["requests"] for target in ("broken:careful", "broken:socket")]
    assert tried[1] - tried[0] == 5


@pytest.mark.parametrize(
    ("target", "asked", "rule"),
    [
        ("broken:blocks", "get", "A061"),
        ("broken:blocks_whatever_comes", "unknown scope", "A011"),
        ("broken:blocks_sockets", "websocket", "A091"),
    ],
)
def test_an_app_that_blocks_its_loop_ends_the_survey_not_the_terminal(
    target: str, asked: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anysgi.testing._transports._loop_thread._SLACK", 0.1)
    started = time.monotonic()
    result = lint(target, "--bound", "0.1", "--json")
    assert time.monotonic() - started < 1.5
    assert json.loads(result.stdout)["notes"] == [f"{asked}: the app blocks its event loop, so nothing more was tried"]
    assert result.exit_code == 1
    assert rule in rules(result)


@pytest.mark.parametrize(
    ("target", "expected", "requests"),
    [("broken:answers_nothing", {"A061", "A108"}, 3), ("broken:wsgi_answers_nothing", {"W044"}, 1)],
)
def test_an_app_that_never_answers_is_found_with_the_first_request(
    target: str, expected: set[str], requests: int
) -> None:
    result = lint(target, "--bound", "0.1", "--json")
    report = json.loads(result.stdout)
    assert rules(result) == expected
    assert (result.exit_code, report["requests"]) == (1, requests)
    assert report["notes"] == ["GET /: no answer within the bound, so nothing more was asked of this path"]


def test_each_path_that_never_answers_is_told() -> None:
    result = lint("broken:wsgi_answers_nothing", "--bound", "0.1", "--json", "--path", "/a", "--path", "/b")
    assert [finding["where"] for finding in json.loads(result.stdout)["findings"]] == ["GET /a", "GET /b"]


def test_an_app_that_ends_its_process_does_not_end_the_survey() -> None:
    result = lint("broken:exits", "--bound", "0.1", "--json")
    assert json.loads(result.stdout)["requests"] > 20
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "target", ["flask_shop", "plain:hello", "plain:Old", "broken:careful", "broken:polite_socket", "fastapi_shop"]
)
def test_good_apps_break_no_must(target: str) -> None:
    result = lint(target, "--path", "/café")
    assert result.exit_code == 0, result.output
    assert "must" not in result.output


def test_the_text_groups_by_rule_and_says_what_to_write() -> None:
    result = lint("broken:wsgi_app", "--select", "W043")
    lines = result.output.splitlines()
    assert lines[0] == "App 'broken' (WSGI): 17 requests, 17 findings, 1 rules"
    assert lines[2].startswith("W043  must  there are no hop-by-hop headers")
    assert lines[3].endswith("(get): there is a Connection header")
    assert lines[8].strip() == "… and 12 more"
    assert lines[9].strip() == "write: leave it to the server"


def test_findings_can_be_chosen_and_left_out() -> None:
    assert rules(lint("broken:wsgi_app", "--json", "--select", "lint")) == {"W062"}
    result = lint("broken:wsgi_app", "--json", "--ignore", "must", "--ignore", "W06")
    assert (rules(result), result.exit_code) == (set(), 0)


@pytest.mark.parametrize("words", [("--select", "B1"), ("--path", "cart"), ("--path", "/a?b=1")])
def test_wrong_usage_is_exit_code_two(words: Any) -> None:
    result = lint("plain:hello", *words)
    assert result.exit_code == 2
    assert words[1] in result.output
