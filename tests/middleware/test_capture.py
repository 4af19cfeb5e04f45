"""`capture`: what passed, as it passed."""

from __future__ import annotations

import pytest

from anysgi.middleware import Captured, Stack, capture, compress

from ._driving import App, Drive


def test_both_directions_are_handed_over_once_the_exchange_is_over(drive: Drive) -> None:
    seen: list[Captured] = []
    app = App(b"hel", b"lo", reads=True, shape="stream", headers={"Content-Type": "text/plain"})
    answer = drive(capture(to=seen.append), app, method="PUT", path="/a b", query="x=%20", body=[b"in", b"put"])
    assert answer.body == b"hello"
    assert answer.chunks == [b"hel", b"lo"]
    [exchange] = seen
    assert (exchange.method, exchange.path, exchange.query, exchange.status) == ("PUT", "/a b", "x=%20", 200)
    assert (exchange.request.body, exchange.response.body) == (b"input", b"hello")
    assert ("content-type", "text/plain") in exchange.response.headers
    assert ("host", "testserver") in exchange.request.headers
    assert (exchange.outcome.kind, exchange.outcome.bytes_sent) == ("complete", 5)


def test_only_the_beginning_of_a_large_body_is_kept(drive: Drive) -> None:
    seen: list[Captured] = []
    drive(capture(to=seen.append, max_size=4), App(b"abc", b"def", b"ghi", reads=True, shape="stream"), body=b"12345")
    [exchange] = seen
    assert (exchange.response.body, exchange.response.size, exchange.response.truncated) == (b"abcd", 9, True)
    assert (exchange.request.body, exchange.request.size) == (b"1234", 5)


def test_secrets_stay_out(drive: Drive) -> None:
    seen: list[Captured] = []
    app = App(b"x", headers={"Set-Cookie": "a=secret", "X-Own": "1"})
    drive(capture(to=seen.append), app, headers={"Authorization": "secret", "Cookie": "b=secret"})
    assert "secret" not in repr(seen)
    assert ("authorization", "[redacted]") in seen[0].request.headers
    seen.clear()
    drive(capture(to=seen.append, redact=["x-own"]), app)
    assert ("set-cookie", "a=secret") in seen[0].response.headers
    assert ("x-own", "[redacted]") in seen[0].response.headers


def test_what_ended_early_says_so(drive: Drive) -> None:
    seen: list[Captured] = []
    drive(capture(to=seen.append), App(b"one", OSError("disk"), shape="stream"))
    drive(capture(to=seen.append), App(b"one", b"two", shape="stream"), leaves_after=1)
    assert [exchange.outcome.kind for exchange in seen] == ["error", "aborted"]


def test_a_request_without_a_response_is_not_handed_over(drive: Drive) -> None:
    seen: list[Captured] = []
    drive(capture(to=seen.append), App(raises=ValueError("no")))
    assert not seen


def test_where_it_stands_decides_what_it_sees(drive: Drive) -> None:
    inner: list[Captured] = []
    outer: list[Captured] = []
    stack = Stack(capture(to=outer.append), compress(minimum_size=0), capture(to=inner.append))
    app = App(b"hello", headers={"Content-Type": "text/plain"})
    answer = drive(stack, app, headers={"Accept-Encoding": "gzip"})
    assert outer[0].response.body == answer.body
    assert inner[0].response.body == b"hello"
    assert dict(outer[0].response.headers)["content-encoding"] == "gzip"
    assert "content-encoding" not in dict(inner[0].response.headers)


def test_headers_are_named_in_any_case(drive: Drive) -> None:
    seen: list[Captured] = []
    drive(capture(to=seen.append, redact="X-Own"), App(b"x"), headers={"X-Own": "secret"})
    assert ("x-own", "[redacted]") in seen[0].request.headers


@pytest.mark.parametrize("types", [["text/*"], "text/*"], ids=repr)
def test_bodies_of_other_types_are_counted_only(drive: Drive, types: list[str] | str) -> None:
    seen: list[Captured] = []
    app = App(b"\x89PNG", reads=True, headers={"Content-Type": "image/png"})
    drive(capture(to=seen.append, types=types), app, body=b"in", headers={"Content-Type": "Text/Plain; charset=x"})
    [exchange] = seen
    assert (exchange.request.body, exchange.response.body, exchange.response.size) == (b"in", b"", 4)


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain", "é".encode(), "é"),
        ("text/plain; charset=ISO-8859-1", b"\xe9", "é"),
        ("text/plain; charset=punycode", b"a-b", "a-b"),  # slow on purpose, and no charset of the web
        ("text/plain", b"\xff", "\ufffd"),
    ],
)
def test_a_body_can_be_read_as_text(drive: Drive, content_type: str, body: bytes, text: str) -> None:
    seen: list[Captured] = []
    drive(capture(to=seen.append), App(body, headers={"Content-Type": content_type}))
    assert seen[0].response.text == text
