"""Header lists in their three native forms behave alike."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi._core._fields import Fields, Headers
from anysgi._core._header_views import byte_headers, byte_pairs, environ_headers, text_headers, text_pairs
from anysgi.exceptions import AppTypeError, AppValueError

PAIRS = [("Accept", "a, b"), ("X-One", "1"), ("Content-Type", "text/plain"), ("Vary", "Cookie")]


def in_bytes(pairs: Any) -> Headers:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
    return byte_headers(raw)


def in_text(pairs: Any) -> Headers:
    return text_headers(list(pairs))


def in_environ(pairs: Any) -> Headers:
    environ: dict[str, Any] = {"wsgi.version": (1, 0), "CONTENT_LENGTH": ""}
    headers = environ_headers(environ)
    headers.extend(pairs)
    return headers


every_form = pytest.mark.parametrize("make", [in_bytes, in_text, in_environ])


@every_form
def test_names_are_found_in_any_case(make: Any) -> None:
    headers = make(PAIRS)
    assert headers.get("x-ONE") == headers.get("X-One") == "1"
    assert (headers.get("x-two"), headers.get("x-two", "2")) == (None, "2")
    assert "x-one" in headers
    assert "x-two" not in headers
    assert headers.getlist("x-one") == ["1"]
    assert headers.getlist("content-length") == []
    assert headers.get("content-length", "none") == "none"
    assert sorted(headers) == sorted((name.lower(), value) for name, value in PAIRS)
    assert "('x-one', '1')" in repr(headers)


@every_form
def test_fields_are_set_added_and_deleted(make: Any) -> None:
    headers = make(PAIRS)
    headers.set("X-ONE", "3")
    headers.setdefault("x-one", "4")
    headers.setdefault("x-new", "5")
    headers.delete("accept")
    headers.delete("nothing")
    assert (headers.get("x-one"), headers.get("x-new"), headers.get("accept")) == ("3", "5", None)
    headers.add("x-one", "6")
    assert ", ".join(headers.getlist("x-one")) == "3, 6"


@every_form
def test_headers_are_read_set_and_deleted_as_in_every_framework(make: Any) -> None:
    headers = make(PAIRS)
    headers["X-ONE"] = "3"
    assert (headers["x-one"], headers.getlist("x-one")) == ("3", ["3"])
    del headers["X-One"]
    del headers["nothing"]
    with pytest.raises(KeyError, match=r"no x-one header; `headers\.get\('x-one'\)` is None"):
        headers["x-one"]
    with pytest.raises(AppValueError):
        headers["x-two"] = "a\r\nb: c"


@every_form
def test_members_of_a_list_and_vary(make: Any) -> None:
    headers = make(PAIRS)
    assert headers.tokens("accept") == ["a", "b"]
    assert headers.has_token("Accept", "B")
    assert not headers.has_token("accept", "c")
    headers.vary("Accept", "cookie")
    headers.vary("Accept")
    assert headers.get("vary") == "Cookie, Accept"
    headers.set("vary", "*")
    headers.vary("Origin")
    assert headers.get("vary") == "*"


@every_form
def test_what_could_split_a_message_is_refused(make: Any) -> None:
    headers = make(PAIRS)
    for name, value in [("x-a", "b\r\nc: d"), ("x-a", "b\0"), ("x-a", "\u4e2d")]:
        with pytest.raises(AppValueError, match="'x-a'"):
            headers.add(name, value)
    headers.add("x-a", "caf\xe9\t!")
    assert headers.get("x-a") == "caf\xe9\t!"


@every_form
def test_a_number_is_not_a_value_and_the_message_says_what_to_write(make: Any) -> None:
    with pytest.raises(AppTypeError, match=r"header 'x-left' must be a str, not 5; write '5'"):
        make(PAIRS).add("x-left", 5)


@pytest.mark.parametrize("make", [in_bytes, in_text])
@pytest.mark.parametrize("name", ["", "a b", "a:b", "\u4e2d"])
def test_a_name_that_is_no_token_is_refused(make: Any, name: str) -> None:
    with pytest.raises(AppValueError):
        make(PAIRS).add(name, "x")


@every_form
def test_prepared_fields_are_added_at_once(make: Any) -> None:
    fields = Fields({"x-a": "1", "x-b": "2"})
    headers = make([])
    headers.extend(fields)
    assert (headers.get("x-a"), headers.get("x-b")) == ("1", "2")
    headers.extend([("x-c", "3")])
    assert headers.get("x-c") == "3"
    assert "x-a" in repr(fields)
    with pytest.raises(AppValueError):
        Fields([("x-a", "b\n")])


def test_bytes_are_copied_once_and_only_to_be_changed() -> None:
    raw = [(b"X-One", b"1")]
    headers = byte_headers(raw)
    assert headers.get("x-one") == "1"
    headers.delete("nothing")
    assert headers.raw is raw
    headers.add("x-two", "2")
    copy = headers.raw
    headers.delete("x-one")
    assert raw == [(b"X-One", b"1")]
    assert headers.raw is copy
    assert copy == [(b"x-two", b"2")]


def test_cookies_of_a_request_join_with_a_semicolon() -> None:
    headers = in_environ([("Cookie", "a=1"), ("Cookie", "b=2")])
    assert headers.get("cookie") == "a=1; b=2"


def test_one_form_is_written_as_the_other() -> None:
    assert byte_pairs(in_text(PAIRS))[1] == (b"x-one", b"1")
    assert text_pairs(in_bytes(PAIRS))[1] == ("x-one", "1")
    names = [("x-" + "n" * 80, "1")]
    assert list(in_environ(names)) == names
