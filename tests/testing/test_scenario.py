"""A scenario is a request as it is on the wire; what cannot be on the wire is refused, with the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from anysgi.exceptions import ScenarioError
from anysgi.testing import Disconnect, Pause, Scenario, SendBlocks, SendFails, presets


def test_a_scenario_without_arguments_is_a_plain_get() -> None:
    plain = Scenario()
    assert (plain.method, plain.target, plain.body, plain.peer) == ("GET", b"/", (), ())
    assert plain.sent_headers == ((b"host", b"testserver"),)
    assert repr(plain) == "Scenario()"


def test_text_and_mappings_are_taken_as_bytes() -> None:
    given = Scenario("POST", "/é?a=1", {"X-Name": "é"}, b"abc")
    assert given.target == b"/\xe9?a=1"
    assert given.headers == ((b"X-Name", b"\xe9"),)
    assert given.body == (b"abc",)
    assert given.sent_headers[-1] == (b"content-length", b"3")


def test_the_repr_of_a_scenario_is_a_program_that_makes_it_again() -> None:
    peer = [Pause(0, 2.5), SendFails(2, BrokenPipeError), SendBlocks(1), Disconnect(after_bytes=2)]
    made = Scenario("PUT", b"/a", [(b"a", b"1"), (b"a", b"2")], [b"ab", b"c"], tls=True, like="uvicorn", peer=peer)
    assert eval(repr(made)) == made
    assert replace(made, like=None) != made


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({}, b"testserver"),
        ({"tls": True}, b"testserver"),
        ({"server": ("shop", 8000)}, b"shop:8000"),
        ({"server": ("/run/shop.sock", None)}, b"localhost"),
        ({"headers": {"Host": "mine"}}, b"mine"),
    ],
)
def test_the_host_is_added_as_a_client_would(given: Any, host: bytes) -> None:
    sent = {name.lower(): value for name, value in Scenario(**given).sent_headers}
    assert sent == {b"host": host}


def test_an_old_client_sends_no_host_and_a_chunked_body_no_length() -> None:
    assert Scenario(http_version="1.0").sent_headers == ()
    chunked = Scenario("POST", headers={"Transfer-Encoding": "chunked"}, body=b"abc")
    assert [name for name, _ in chunked.sent_headers] == [b"host", b"Transfer-Encoding"]


@pytest.mark.parametrize(
    ("leaves", "arrives", "complete"),
    [
        (Disconnect(after_chunks=0), (), False),
        (Disconnect(after_chunks=1), (b"abc",), False),
        (Disconnect(after_chunks=2), (b"abc", b"de"), True),
        (Disconnect(after_bytes=0), (), False),
        (Disconnect(after_bytes=4), (b"abc", b"d"), False),
        (Disconnect(after_bytes=5), (b"abc", b"de"), True),
        (Disconnect(after_messages=1), (b"abc", b"de"), True),
    ],
)
def test_a_client_that_leaves_cuts_its_upload(leaves: Disconnect, arrives: Any, complete: bool) -> None:
    scenario = Scenario("POST", body=[b"abc", b"de"], peer=[leaves])
    assert (scenario.upload, scenario.upload_complete) == (arrives, complete)


def test_an_upload_may_announce_more_than_comes_before_the_client_leaves() -> None:
    scenario = Scenario("POST", headers={"Content-Length": "10"}, body=b"abc", peer=[Disconnect(after_bytes=3)])
    assert (scenario.upload, scenario.upload_complete) == ((b"abc",), False)


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"body": "text"}, "a body is bytes"),
    ({"body": [b"a", "b"]}, "a body is bytes"),
    ({"headers": {"x": "\u2603"}}, "latin-1"),
    ({"target": "/\u2603"}, "latin-1"),
    ({"method": "GE T"}, "a method is a token"),
    ({"method": "é"}, "a method is a token"),
    ({"target": b""}, "percent-encode"),
    ({"target": b"/a b"}, "percent-encode"),
    ({"target": b"/a#b"}, "percent-encode"),
    ({"target": b"/\r\nX: 1"}, "percent-encode"),
    ({"target": b"a"}, "begins with '/'"),
    ({"target": b"*"}, "only OPTIONS"),
    ({"http_version": "0.9"}, "http_version"),
    ({"root_path": "/a/"}, "root_path"),
    ({"root_path": "a"}, "root_path"),
    ({"headers": {"": "x"}}, "a header name is a token"),
    ({"headers": {"a b": "x"}}, "a header name is a token"),
    ({"headers": {"a": "x\r\ny"}}, "line break"),
    ({"headers": {"a": " x"}}, "space around"),
    ({"headers": {"A": "x"}, "http_version": "2"}, "HTTP/2"),
    ({"headers": {"connection": "close"}, "http_version": "2"}, "HTTP/2"),
    ({"headers": {"content-length": "+5"}}, "one number"),
    ({"headers": [("content-length", "5"), ("content-length", "6")]}, "one number"),
    ({"headers": {"content-length": "5", "transfer-encoding": "chunked"}}, "never both"),
    ({"headers": {"transfer-encoding": "chunked"}, "http_version": "1.0"}, "no chunked"),
    ({"headers": {"content-length": "2"}, "body": b"abc"}, "servers cut it there"),
    ({"headers": {"content-length": "9"}, "body": b"abc"}, r"add peer=\[Disconnect\(after_bytes=3\)\]"),
    ({"peer": [Disconnect(after_chunks=1)]}, "0 chunks"),
    ({"peer": [Disconnect(after_bytes=1)]}, "0 bytes"),
    ({"peer": [Disconnect(after_messages=1), Disconnect(after_chunks=0)]}, "leaves once"),
    ({"peer": [Pause(0, 1)]}, "0 chunks"),
    ({"peer": ["leave"]}, "it cannot 'leave'"),
    ({"like": "apache"}, "no server 'apache' was recorded"),
    ({"like": "waitress", "body": b"abc", "peer": [Disconnect(after_bytes=1)]}, "nobody would know"),
]


@pytest.mark.parametrize(("given", "reason"), IMPOSSIBLE, ids=[str(given) for given, _ in IMPOSSIBLE])
def test_a_scenario_that_cannot_exist_is_refused_with_the_reason(given: Any, reason: str) -> None:
    with pytest.raises(ScenarioError, match=reason):
        Scenario(**given)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Disconnect(), "at one moment"),
        (lambda: Disconnect(after_chunks=1, after_bytes=1), "at one moment"),
        (lambda: Disconnect(after_messages=0), "count from 1"),
        (lambda: Disconnect(after_bytes=-1), "count from 1"),
        (lambda: SendFails(0), "counted from 1"),
        (lambda: SendFails(1, ValueError), "OSError"),  # type: ignore[arg-type]
        (lambda: SendBlocks(0), "counted from 1"),
        (lambda: SendBlocks(1, -1), "0 seconds or more"),
        (lambda: Pause(0, float("inf")), "0 seconds or more"),
    ],
)
def test_an_event_that_cannot_happen_is_refused(make: Any, reason: str) -> None:
    with pytest.raises(ScenarioError, match=reason):
        make()


def test_odd_requests_that_clients_do_send_are_allowed() -> None:
    Scenario("OPTIONS", b"*")
    Scenario("M-SEARCH", b"//a;b=%00%E9%2F..?\xe9")
    Scenario("GET", headers=[(b"Cookie", b"a=1"), (b"cookie", b""), (b"x_y", b"\xff")], body=[b"", b"x", b""])


def test_presets_name_the_servers_of_both_conventions() -> None:
    assert {name for name, preset in presets().items() if preset.asgi} >= {"uvicorn", "hypercorn", "granian", "daphne"}
    assert {name for name, preset in presets().items() if preset.wsgi} >= {"gunicorn", "waitress", "granian", "wsgiref"}
