"""`anysgi advise` on an app that is on ASGI already: what holds up its event loop is named, and nothing else is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from anysgi.cli import main
from anysgi.migration._advise import _on_a_loop, advise_on_a_loop, watched
from anysgi.migration._advise._on_a_loop import Held, judge
from anysgi.migration._compare._exchanges import Asked
from tests.migration.apps.waiting_asgi import app

if TYPE_CHECKING:
    from pathlib import Path

NATURE = {
    "awaits": ("KEEP", "waits nowhere on it"),
    "thread": ("KEEP", "waits nowhere on it"),
    "sleeps": ("FIX FIRST", "it waits on the event loop (sleep "),
    "listens": ("FIX FIRST", "it waits on the event loop (lock "),
    "computes": ("FIX FIRST", "of CPU in one piece stop the event loop"),
    "fails": ("UNKNOWN", "100% of its requests fail"),
    "nowhere": ("UNKNOWN", "every answer was 404"),
    "account": ("UNKNOWN", "every answer was 307 to /login: "),
}


def test_routes_are_classed_by_what_they_do_to_the_loop() -> None:
    groups = {name: [Asked("GET", f"/{name}")] for name in NATURE}
    begun: list[str] = []
    with watched():
        found = {one.route: one.verdict for one in advise_on_a_loop(app, groups, 30, 20.0, begun.append)}
    assert begun == list(NATURE)
    assert {name: verdict.word for name, verdict in found.items()} == {name: word for name, (word, _) in NATURE.items()}
    for name, (_, why) in NATURE.items():
        assert why in found[name].why


def test_few_samples_are_no_verdict_and_time_is_bounded() -> None:
    assert judge(Held(3, 0.0, 0, "", 0.0, {})).word == "UNKNOWN"
    [few] = advise_on_a_loop(app, {"r": [Asked("GET", "/sleeps")]}, 1000, 0.01, str)
    assert (few.verdict.word, few.measured.count < 30) == ("UNKNOWN", True)


def test_a_request_without_an_end_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        if scope["type"] == "http":
            await asyncio.Event().wait()

    monkeypatch.setattr(_on_a_loop, "_BOUND", 0.05)
    [held] = advise_on_a_loop(never, {"r": [Asked()]}, 2, 0.1, str)
    assert (held.verdict.word, held.measured.failed) == ("UNKNOWN", 1.0)


def test_the_command_tells_it_in_both_forms(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text('{"path": "/awaits"}\n{"path": "/sleeps"}\n{"method": "POST", "path": "/awaits"}\n')
    words = ["advise", "tests.migration.apps.waiting_asgi:app", "--requests", str(path), "--samples", "30"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1, done.output
    assert "FIX FIRST" in done.output
    assert "not known: waiting inside C extensions" in done.output
    found = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert [(one["route"], one["verdict"]) for one in found["routes"]] == [
        ("GET /awaits", "KEEP"),
        ("GET /sleeps", "FIX FIRST"),
    ]
    assert found["routes"][1]["measured"]["waits"]["sleep"] > 0.004
