"""Programs mean the same in both conventions; adapters change nothing of it; differences print a program to paste."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from anysgi import AsgiToWsgi, WsgiToAsgi, testing
from anysgi.testing import (
    Disconnect,
    Echo,
    Program,
    Raise,
    Read,
    ReadLine,
    Restart,
    Say,
    Scenario,
    SendFails,
    assert_same,
    run,
)
from anysgi.testing.strategies import differential, programs, scenarios

SAID = Program((Say(b"a"), Say(b""), Say(b"b")), 201, ((b"x-a", b"1"),))


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(programs(), scenarios(peer=True))
@example(Program((Read(), Echo())), Scenario("POST", body=b"abc", peer=[Disconnect(after_bytes=2)]))
@example(Program((Say(b"a"), Restart())), Scenario())
def test_a_program_means_the_same_in_both_conventions_and_in_the_model(program: Program, scenario: Scenario) -> None:
    expected = program.expected(scenario)
    for app in (program.wsgi, program.asgi):
        exchange = run(app, scenario)
        assert_same(expected, exchange, scenario, ignore=["reason"])
        if not any(isinstance(event, (Disconnect, SendFails)) for event in scenario.peer):
            assert type(exchange.exception) is type(expected.exception)
            assert exchange.complete == expected.complete
        assert exchange.leaks == []
        assert app.calls == 1
    assert exchange.scenario is scenario


@differential(examples=60)
def test_wsgi_to_asgi_changes_nothing(program: Program) -> Any:
    adapter = WsgiToAsgi(program.wsgi)
    yield program.asgi, adapter
    adapter.drain()


@differential(examples=60)
def test_asgi_to_wsgi_changes_nothing(program: Program) -> Any:
    with AsgiToWsgi(program.asgi, lifespan="off") as adapter:
        yield program.wsgi, adapter


@differential(examples=20, scenarios=scenarios(peer=True))
def test_nor_when_clients_leave_or_are_slow(program: Program) -> Any:
    adapter = WsgiToAsgi(program.wsgi)
    yield program.asgi, adapter
    adapter.drain()


@differential(examples=5)
def test_a_plain_function_gives_the_pair(program: Program) -> Any:
    return program.wsgi, program.asgi


def test_a_difference_prints_a_program_that_shows_it_again() -> None:
    other = Program((Say(b"c"),), 200)
    with pytest.raises(AssertionError) as caught:
        assert_same(SAID.wsgi, other.asgi, Scenario("POST", body=b"x"))
    text = str(caught.value)
    assert re.search(r"status: 201 != 200\n  header x-a: \[b'1'\] != None\n  body: b'ab' != b'c'", text)
    namespace = {name: getattr(testing, name) for name in testing.__all__}
    pasted = text.partition("To see it again:\n\n")[2].replace("from anysgi.testing import *\n", "")
    with pytest.raises(AssertionError, match="the answers differ"):
        exec(pasted, namespace)


def test_the_program_inside_an_adapter_is_found_for_the_print() -> None:
    adapter = WsgiToAsgi(SAID.wsgi)
    with pytest.raises(AssertionError, match=r"assert_same\(program\.expected\(scenario\), WsgiToAsgi\(program\.wsgi"):
        assert_same(Program((), 404).expected(Scenario()), adapter)
    adapter.drain()


def says_c(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    return [b"c"]


@pytest.mark.parametrize(
    "app", [lambda: says_c, lambda: AsgiToWsgi(SAID.asgi, lifespan="off")], ids=["a function", "an adapter"]
)
def test_what_is_printed_needs_no_names_but_its_own(app: Any) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_same(app(), Program((), 404).wsgi)
    with pytest.raises(AssertionError, match="the answers differ"):
        exec(str(caught.value).partition("To see it again:\n\n")[2], {})


def test_apps_without_a_program_are_printed_as_they_are() -> None:
    def one(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return []

    def two(environ: Any, start_response: Any) -> Any:
        start_response("404 No", [])
        return []

    with pytest.raises(AssertionError, match=r"assert_same\(<function .*one.*, exchange, scenario"):
        assert_same(one, run(two))
    assert_same(one, two, ignore=["status", "reason"])


@pytest.mark.parametrize(
    ("one", "other", "ignore"),
    [
        (Program((Say(b"a"),)), Program((Say(b"a"),), headers=((b"content-length", b"1"),)), ["reason"]),
        (Program((Say(b"ab"),)), Program((Say(b"a"), Say(b"b"))), ["chunks", "reason"]),
        (Program((Raise(),)), Program((Say(b"sorry"),), 500), ["reason"]),
        (Program((), 200, ((b"date", b"1"),)), Program((), 200, ((b"date", b"2"),)), ["header:date"]),
        (Program((ReadLine(), Echo())), Program((Read(2), Echo())), ["chunks"]),
    ],
)
def test_what_no_client_can_tell_apart_is_the_same(one: Program, other: Program, ignore: Any) -> None:
    assert_same(one.wsgi, other.wsgi, Scenario("POST", body=b"x\ny"), ignore)
    assert_same(one.asgi, other.asgi, Scenario("POST", body=b"x\ny"), ignore)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Program((Say(b"ab"),)), Program((Say(b"a"), Say(b"b")))),
        (Program((), 200, ((b"a", b"1"), (b"a", b"2"))), Program((), 200, ((b"a", b"2"), (b"a", b"1")))),
        (Program((Say(b"a"),)), Program((Say(b"a"),), headers=((b"content-length", b"2"),))),
        (Program((Say(b"a"), Raise())), Program((Say(b"a"),))),
    ],
)
def test_what_a_client_can_tell_apart_differs(one: Program, other: Program) -> None:
    with pytest.raises(AssertionError, match="the answers differ"):
        assert_same(one.asgi, other.asgi, ignore=[])


def test_a_client_that_left_may_have_seen_more_or_less_but_nothing_else() -> None:
    left = Scenario(peer=[SendFails(3)])
    assert_same(Program((Say(b"a"), Say(b"b"))).asgi, Program((Say(b"ab"),)).asgi, left)
    with pytest.raises(AssertionError, match="body"):
        assert_same(Program((Say(b"a"), Say(b"b"))).asgi, Program((Say(b"xy"),)).asgi, left)
    whole = Program((Say(b"ab"),), headers=((b"content-length", b"2"),))
    assert_same(whole.asgi, Program((Say(b"ab"),)).asgi, Scenario(peer=[SendFails(2)]))


def test_close_is_counted() -> None:
    app = SAID.wsgi
    assert run(app).close_calls == app.close_calls == 1
    assert repr(app).endswith(".wsgi")


def test_a_program_serves_http_alone() -> None:
    import asyncio

    with pytest.raises(ValueError, match="serves http"):
        asyncio.run(SAID.asgi({"type": "lifespan"}, None, None))  # type: ignore[arg-type]


SCRIPT = """
from anysgi.testing import assert_same

def one(environ, start_response):
    start_response("200 OK", [])
    return [b"one"]

def other(environ, start_response):
    start_response("200 OK", [])
    return [b"other"]

if __name__ == "__main__":
    assert_same(one, other)
"""


@pytest.mark.parametrize("how", [["my_script.py"], ["-m", "my_script"]], ids=" ".join)
def test_the_program_of_a_script_is_pasted_beside_it(tmp_path: Path, how: list[str]) -> None:
    (tmp_path / "my_script.py").write_text(SCRIPT, encoding="utf-8")
    first = subprocess.run([sys.executable, *how], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    pasted = first.stderr.partition("To see it again:\n\n")[2]
    assert "import my_script" in pasted
    again = subprocess.run([sys.executable, "-c", pasted], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert "AssertionError: the answers differ" in again.stderr
