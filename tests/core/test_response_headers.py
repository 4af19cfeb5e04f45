"""Response headers, both ways: what an app may send, and what would split the response or belongs to the server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi._core import _asgi_messages, _headers, _start_response
from anysgi._core._asgi_messages import check_headers
from anysgi._core._headers import HOP_BY_HOP
from anysgi._core._start_response import encode_headers
from anysgi.exceptions import AppTypeError, AppValueError

ALL_BYTES = bytes(b for b in range(256) if b not in b"\r\n\0")
STRIPPED = ALL_BYTES.strip(b" \t")


class Text(str):
    """A `str` of its own kind, as some frameworks use."""


TAKEN_FROM_WSGI = {
    "none": ([], []),
    "a name is lower-cased": ([("Content-Type", "a/b")], [(b"content-type", b"a/b")]),
    "blanks around a value are stripped": ([("X-A", " \t1 2\t ")], [(b"x-a", b"1 2")]),
    "latin-1 is bytes": ([("X-A", "caf\xe9")], [(b"x-a", b"caf\xe9")]),
    "an empty value": ([("X-A", "")], [(b"x-a", b"")]),
    "cookies stay apart, in order": (
        [("Set-Cookie", "a=1"), ("X-A", "1"), ("Set-Cookie", "b=2")],
        [(b"set-cookie", b"a=1"), (b"x-a", b"1"), (b"set-cookie", b"b=2")],
    ),
    "a kind of str": ([(Text("X-Kind"), Text("of str"))], [(b"x-kind", b"of str")]),
    "a pair that is a list": ([["X-A", "1"]], [(b"x-a", b"1")]),
    "every character of a token": ([("!#$%&'*+-.^_`|~09azAZ", "1")], [(b"!#$%&'*+-.^_`|~09azaz", b"1")]),
}


@pytest.mark.parametrize("again", ["the first time", "again"])
@pytest.mark.parametrize(("headers", "encoded"), TAKEN_FROM_WSGI.values(), ids=TAKEN_FROM_WSGI)
def test_headers_of_a_wsgi_app_are_encoded(headers: list[Any], encoded: list[Any], again: str) -> None:
    assert encode_headers(headers) == encoded


WRONG_TYPES = {
    "a tuple of headers": ((("X-A", "1"),), "headers must be a list"),
    "a dict of headers": ({"X-A": "1"}, "headers must be a list"),
    "None": (None, "headers must be a list"),
    "a generator": ((h for h in [("X-A", "1")]), "headers must be a list"),
    "a header that is no pair": ([("X-A", "1", "2")], r"must be a \(name, value\) tuple"),
    "a header that is None": ([None], r"must be a \(name, value\) tuple"),
    "a number as value": ([("X-A", 1)], r"write \('X-A', '1'\)"),
    "bytes as value": ([("X-A", b"1")], "must be two str"),
    "bytes as name": ([(b"X-A", "1")], "must be two str"),
    "None as value": ([("X-A", None)], "must be two str"),
    "a list as value": ([("X-A", ["1"])], "must be two str"),
}


@pytest.mark.parametrize(("headers", "message"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_a_wsgi_header_of_the_wrong_type_is_refused(headers: Any, message: str) -> None:
    with pytest.raises(AppTypeError, match=message):
        encode_headers(headers)


BAD_NAMES = ["", " ", "X A", "X:", "X\n", "X\r", "X\0", "caf\xe9", '"X"', "X\t", "(X)"]
SPLITTING = ["a\nb", "a\rb", "a\r\nSet-Cookie: b=1", "a\0b", "\n", "a\n"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(AppValueError, match="is not a header name"):
        encode_headers([(name, "1")])
    with pytest.raises(AppValueError, match="is not a header name"):
        check_headers([(name.encode("latin-1"), b"1")])


@pytest.mark.parametrize("value", SPLITTING, ids=repr)
def test_a_value_that_would_split_the_response_is_refused(value: str) -> None:
    with pytest.raises(AppValueError, match="split the response"):
        encode_headers([("X-A", value)])
    with pytest.raises(AppValueError, match="split the response"):
        check_headers([(b"x-a", value.encode("latin-1"))])


@pytest.mark.parametrize("header", [("X-A", "\u4e2d"), ("\u4e2d", "1"), ("X-A", "\udcff")], ids=ascii)
def test_characters_outside_latin_1_are_refused_with_advice(header: tuple[str, str]) -> None:
    with pytest.raises(AppValueError, match=r"outside latin-1.*RFC 8187"):
        encode_headers([header])


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP), ids=bytes.decode)
def test_hop_by_hop_fields_are_the_servers_and_left_out(name: bytes) -> None:
    text = name.decode().title()
    assert encode_headers([(text, "1"), ("X-A", "2")]) == [(b"x-a", b"2")]
    assert encode_headers([(text, "1"), ("X-A", "2")]) == [(b"x-a", b"2")]
    assert check_headers([(name.title(), b"1"), (b"x-a", b"2")]) == [(b"x-a", b"2")]


def test_every_header_byte_arrives() -> None:
    assert encode_headers([("X-A", ALL_BYTES.decode("latin-1"))]) == [(b"x-a", STRIPPED)]
    assert check_headers([(b"X-A", ALL_BYTES)]) == [(b"x-a", STRIPPED)]


names = st.text("abcXYZ-", min_size=1, max_size=5)
values = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=8)


@given(st.lists(st.tuples(names, values), max_size=6))
def test_both_directions_agree_and_change_nothing(headers: list[tuple[str, str]]) -> None:
    before = list(headers)
    encoded = encode_headers(headers)
    assert headers == before
    assert check_headers(encoded) == encoded
    assert [name.decode() for name, _ in encoded] == [name.lower() for name, _ in headers]


def test_headers_never_seen_again_do_not_fill_the_memory() -> None:
    for number in range(3_000):
        assert encode_headers([(f"X-{number}", "1")]) == [(b"x-%d" % number, b"1")]
        assert encode_headers([("X-A", str(number))]) == [(b"x-a", b"%d" % number)]
        assert check_headers([(b"X-%d" % number, b"1")]) == [(b"x-%d" % number, b"1")]
    assert len(_headers.ENCODED_NAMES) <= 1_024
    assert len(_asgi_messages._pairs) <= 1_024
    assert len(_start_response._pairs) <= 1_024


TAKEN_FROM_ASGI = {
    "none": ((), []),
    "a tuple of headers": (((b"x-a", b"1"),), [(b"x-a", b"1")]),
    "a generator": (((n, v) for n, v in [(b"x-a", b"1")]), [(b"x-a", b"1")]),
    "lists of two": ([[b"x-a", b"1"]], [(b"x-a", b"1")]),
    "other kinds of bytes": ([(bytearray(b"X-A"), memoryview(b"1"))], [(b"x-a", b"1")]),
    "names in upper case": ([(b"X-A", b"1")], [(b"x-a", b"1")]),
    "blanks around": ([(b"x-a", b" 1\t")], [(b"x-a", b"1")]),
    "cookies stay apart": (
        [(b"set-cookie", b"a"), (b"set-cookie", b"b")],
        [(b"set-cookie", b"a"), (b"set-cookie", b"b")],
    ),
}


@pytest.mark.parametrize(("headers", "checked"), TAKEN_FROM_ASGI.values(), ids=TAKEN_FROM_ASGI)
def test_headers_of_an_asgi_app_are_checked(headers: Any, checked: list[Any]) -> None:
    assert check_headers(headers) == checked


@pytest.mark.parametrize(
    "headers",
    [
        [("x-a", b"1")],
        [(b"x-a", "1")],
        [(b"x-a", None)],
        [(b"x-a", 1)],
        [(b"x-a",)],
        [(b"x", b"y", b"z")],
        [None],
        [b"ab"],
        None,
        5,
    ],
    ids=repr,
)
def test_an_asgi_header_of_the_wrong_type_is_refused(headers: Any) -> None:
    with pytest.raises(AppTypeError, match="header"):
        check_headers(headers)
