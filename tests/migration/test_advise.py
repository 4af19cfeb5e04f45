"""`anysgi advise` on routes whose nature is known, measured for real; and what it does with bad files and apps."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from anysgi.cli import main
from anysgi.migration._advise import (
    Advice,
    Demand,
    Effort,
    advise,
    by_route,
    scope_of,
    watched,
)
from anysgi.migration._advise import _trial as trial_module
from anysgi.migration._advise._measure import measure
from anysgi.migration._advise._waits import _CALLS, _owner, run_queue, tally
from anysgi.migration._compare._exchanges import Asked
from anysgi.migration._compare._targets import scenario_of
from anysgi.migration._inventory import take_inventory
from tests.migration.apps import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NATURE = {
    "cpu": "STAY",
    "sleep": "MOVE",
    "sqlite": "KEEP",
    "socket": "MOVE",
    "lock": "FIX FIRST",
    "mixed": "KEEP",
    "computing-thread": "KEEP",
    "waiting-thread": "UNKNOWN",
}


@pytest.fixture(scope="module")
def _delay() -> Iterator[None]:
    server = waiting.DelayServer(0.02)
    server.start()
    waiting.server.append(server)
    yield
    server.close()
    server.join()
    waiting.server.clear()


@pytest.fixture
def _one_core() -> Iterator[None]:
    """Python computes on one core at a time, and what its threads lose by hopping between cores is the machine's."""
    if not hasattr(os, "sched_setaffinity"):  # macOS has no say in it
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


def advice(kind: str, at_once: int, **effort: Any) -> Advice:
    with watched():
        requests = [Asked("GET", f"/work/{kind}")]
        found = advise(kind, waiting.app.wsgi_app, requests, Demand(threads=8), Effort(at_once=at_once, **effort))
    assert found is not None
    return found


@pytest.mark.usefixtures("_delay")
@pytest.mark.parametrize("kind", NATURE)
def test_a_route_is_classed_by_its_nature(kind: str) -> None:
    found = advice(kind, 4, samples=30)
    assert found.verdict.word == NATURE[kind], found


@pytest.mark.slow
@pytest.mark.usefixtures("_delay", "_one_core")
@pytest.mark.parametrize("at_once", [1, 4, 16])
@pytest.mark.parametrize("kind", NATURE)
def test_a_route_is_classed_by_its_nature_whatever_the_concurrency(kind: str, at_once: int) -> None:
    found = advice(kind, at_once, trial=at_once == 4)
    assert found.verdict.word == NATURE[kind], found
    if found.trial is not None:
        print(f"{kind}: predicted {found.trial.predicted:.2f}x, measured {found.trial.measured:.2f}x")  # noqa: T201
        gains = found.trial.measured > 1.4  # how much, depends on who else uses the machine
        assert gains is (found.verdict.word == "MOVE")


@pytest.mark.usefixtures("_delay")
def test_the_waits_of_a_route_are_named() -> None:
    with watched():
        kinds = {kind: measure(waiting.app.wsgi_app, Asked("GET", f"/work/{kind}")) for kind in NATURE}
    assert kinds["sleep"].waits["sleep"] == pytest.approx(0.02, abs=0.01)
    assert kinds["socket"].waits["socket"] == pytest.approx(0.02, abs=0.01)
    assert "database" in kinds["sqlite"].waits
    assert kinds["mixed"].burst >= 0.004
    assert kinds["sleep"].longest == pytest.approx(0.02, abs=0.01)


def test_a_trial_runs_both_and_has_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_module, "_REQUESTS", 48)
    found = advice("sleep", 4, samples=30, trial=True)
    assert found.trial is not None
    assert found.trial.predicted == pytest.approx(4.0, rel=0.1)
    assert found.trial.measured > 1.2


def test_a_trial_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_module, "_REQUESTS", 10**9)
    app = trial_module._simulation(0.0, 0.001)
    assert asyncio.run(trial_module._rate(app, [Asked()], 0.05), debug=False) > 0


def test_what_has_no_prediction_gets_no_trial() -> None:
    assert advice("lock", 4, samples=30, trial=True).trial is None


def test_a_stream_that_holds_its_thread_is_to_be_moved() -> None:
    with watched():
        found = advise("s", waiting.app.wsgi_app, [Asked("GET", "/stream")], Demand(), Effort(2, 1.0, 4))
    assert found is not None
    assert found.verdict.word == "MOVE"
    assert "it streams" in found.verdict.why


def test_a_login_that_answers_for_the_route_is_seen() -> None:
    with watched():
        found = advise("a", waiting.app.wsgi_app, [Asked("GET", "/account")], Demand(), Effort(30, 5.0, 4))
    assert found is not None
    assert found.measured.redirected == "302 to /login"


def test_a_request_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.migration._advise._PATIENCE", 0.1)
    over = threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        over.wait(10)
        start_response("200 OK", [])
        return []

    try:
        assert advise("hangs", app, [Asked("GET", "/")], Demand(), Effort(1, 0.05, 4)) is None
    finally:
        over.set()


def test_a_stream_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.migration._advise._measure._LONGEST", 0.01)
    closed: list[bool] = []

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x"

        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start_response: Any) -> Endless:
        start_response("200 OK", [])("written")
        return Endless()

    assert measure(app, Asked("GET", "/")).status == 200
    assert closed == [True]


def test_a_failure_is_a_status_of_0() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise LookupError

    assert measure(app, Asked("GET", "/")).status == 0
    assert measure(lambda environ, start_response: [], Asked("GET", "/")).status == 0


@pytest.mark.parametrize("status", ["OK", "", 200])
def test_a_malformed_status_is_a_failure(status: Any) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [])
        return [b"served"]

    assert measure(app, Asked("GET", "/")).status == 0


def test_a_close_that_fails_is_a_failure() -> None:
    class Broken(list[bytes]):
        def close(self) -> None:
            raise LookupError

    def app(environ: Any, start_response: Any) -> Broken:
        start_response("200 OK", [])
        return Broken()

    assert measure(app, Asked("GET", "/")).status == 0


def test_the_app_gets_the_request_as_it_is_in_the_file() -> None:
    seen: dict[str, Any] = {}

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("200 OK", [])
        return []

    request = Asked(
        "POST", "/caf%C3%A9?a=1", (("host", "shop"), ("x-token", "t"), ("transfer-encoding", "chunked")), b"body"
    )
    measure(app, request)
    assert (seen["REQUEST_METHOD"], seen["QUERY_STRING"]) == ("POST", "a=1")
    assert seen["PATH_INFO"].encode("latin-1").decode() == "/café"
    assert (seen["HTTP_HOST"], seen["HTTP_X_TOKEN"], seen["CONTENT_LENGTH"]) == ("shop", "t", "4")
    assert seen["body"] == b"body"


# --- watching


def test_every_watched_call_exists_and_is_put_back() -> None:
    names = [name for group in _CALLS.values() for name in group]
    before = [getattr(*_owner(name)) for name in names]
    connect = sqlite3.connect
    with watched():
        assert all(getattr(*_owner(name)) is not old for name, old in zip(names, before, strict=True))
    assert [getattr(*_owner(name)) for name in names] == before
    assert sqlite3.connect is connect
    assert "recv" not in vars(socket.socket)


def test_calls_outside_a_request_are_not_counted() -> None:
    with watched():
        time.sleep(0)
        assert tally.waits is None


def test_a_call_inside_a_watched_call_belongs_to_it() -> None:
    with watched():
        tally.begin()
        subprocess.run([sys.executable, "-c", ""], check=True)
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("select 1")
        waits, burst = tally.end()
    assert set(waits) <= {"process", "socket", "database", "lock"}
    assert {"process", "database"} <= set(waits)
    assert burst > 0


def test_a_system_without_run_queues_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_queue() >= 0

    def nothing(*_arguments: Any, **_options: Any) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", nothing)
    assert run_queue() == 0.0


# --- the file of requests


def written(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "requests.jsonl"
    file.write_text("\n".join(lines))
    return file


def test_requests_are_grouped_by_the_route_that_answers_them() -> None:
    requests = [
        Asked("GET", "/work/a"),
        Asked("POST", "/work/a"),
        Asked("GET", "/work/b?x"),
        Asked("GET", "/?"),
    ]
    groups = by_route(requests, take_inventory(waiting.app))
    assert {name: len(group) for name, group in groups.items()} == {
        "GET /work/<kind>": 2,
        "POST /work/<kind>": 1,
        "GET /": 1,
    }


def test_a_route_that_no_table_could_hold_is_grouped_by_its_path() -> None:
    from anysgi.migration._inventory import Inventory, Route

    inventory = Inventory("Flask", (Route(("GET",), "/what?"),))
    assert list(by_route([Asked("GET", "/what")], inventory)) == ["GET /what"]


# --- the command

TARGET = "tests.migration.apps.waiting:app"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["advise", *arguments])


def test_the_table_has_a_verdict_and_what_is_not_known(tmp_path: Path) -> None:
    file = written(tmp_path, '{"path": "/work/mixed"}', '{"method": "POST", "path": "/work/mixed"}')
    result = run(TARGET, "--requests", str(file), "--threads", "8", "--samples", "30", "--concurrency", "4")
    assert result.exit_code == 0, result.output
    assert "GET /work/<kind>" in result.output
    assert "KEEP" in result.output
    assert "not known: 1 request of the file that would change something" in result.output
    assert "POST" not in result.output


def test_the_object_has_the_figures_and_a_rate_is_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_module, "_REQUESTS", 16)
    file = written(
        tmp_path, '{"path": "/work/sleep"}', '{"path": "/work/sleep"}', '{"method": "POST", "path": "/fails"}'
    )
    options = ("--threads", "8", "--samples", "30", "--concurrency", "4", "--rate", "10", "--trial", "--unsafe")
    result = run(TARGET, "--requests", str(file), *options, "--json")
    assert result.exit_code == 1, result.output  # POST /fails is a 405, which shows nothing
    first, second = json.loads(result.output)["routes"]
    assert (first["route"], first["verdict"]) == ("GET /work/<kind>", "KEEP")
    assert "7 requests/s are 0.1 under way" in first["why"]
    assert first["measured"]["waits"]["sleep"] > 0.01
    assert "error" in first["trial"]
    assert (second["route"], second["verdict"], second["trial"]) == ("POST /fails", "UNKNOWN", None)
    assert second["measured"]["refused"] == 405


def test_a_request_that_names_no_host_is_for_localhost_and_another_keeps_its_own() -> None:
    """Django in development answers 400 to any other."""
    assert scope_of(Asked("GET", "/"))["server"] == ("localhost", 80)
    assert dict(scope_of(Asked("GET", "/"))["headers"])[b"host"] == b"localhost"
    assert scenario_of(Asked("GET", "/")).sent_headers == ((b"host", b"localhost"),)
    assert dict(scope_of(Asked("GET", "/", (("host", "shop"),)))["headers"])[b"host"] == b"shop"


GUARDED = """
def wsgi(environ, start_response):
    known = environ.get("HTTP_AUTHORIZATION") == "Token abc"
    start_response("200 OK" if known else "401 Unauthorized", [])
    return [b""]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("no lifespan")
    known = dict(scope["headers"]).get(b"authorization") == b"Token abc"
    await send({"type": "http.response.start", "status": 200 if known else 401, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""


@pytest.mark.parametrize("convention", ["wsgi", "asgi"])
def test_a_credential_that_the_recording_left_out_is_given(convention: str, tmp_path: Path) -> None:
    (tmp_path / "guarded.py").write_text(GUARDED)
    file = written(tmp_path, '{"path": "/", "headers": {"authorization": "[redacted]"}}', '{"path": "/b"}')
    words = (f"guarded:{convention}", "--requests", str(file), "--samples", "30", "--app-dir", str(tmp_path))
    refused = run(*words)
    assert "every answer was 401" in " ".join(refused.stdout.split())
    assert "measuring" not in refused.stderr
    given = run(*words, "--header", "Authorization: Token abc", "--progress")
    assert "401" not in given.stdout, given.stdout
    assert given.stderr.splitlines() == ["measuring 1/2: GET /", "measuring 2/2: GET /b"]


def test_a_trial_is_printed_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_module, "_REQUESTS", 16)
    file = written(tmp_path, '{"path": "/work/sleep"}')
    result = run(TARGET, "--requests", str(file), "--threads", "8", "--samples", "30", "--trial")
    assert "trial: a loop gains" in result.output.replace("\n", " ")


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_request_without_an_end_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    monkeypatch.setattr("anysgi.cli.advise.advise", lambda *_arguments: None)
    result = run(TARGET, "--requests", str(written(tmp_path, '{"path": "/"}')), *option)
    assert result.exit_code == 1
    assert "UNKNOWN" in result.output


@pytest.mark.parametrize(
    ("target", "lines", "problem"),
    [
        (TARGET, [], "holds no requests"),
        (TARGET, ['{"path": "/a b"}'], "requests.jsonl:1: no client could send this"),
        (TARGET, ["nonsense"], "requests.jsonl:1: not a recorded exchange"),
    ],
)
def test_what_cannot_be_measured_is_a_problem(tmp_path: Path, target: str, lines: list[str], problem: str) -> None:
    result = run(target, "--requests", str(written(tmp_path, *lines)))
    assert result.exit_code == 1
    assert problem in result.output


def test_a_file_that_is_not_there_is_named() -> None:
    result = run(TARGET, "--requests", "nowhere.jsonl")
    assert (result.exit_code, "nowhere.jsonl cannot be read" in result.output) == (2, True), result.output
