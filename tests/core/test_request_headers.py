"""Request headers, both ways: what becomes of names, values, repetitions, and of names that could forge another."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi._core import _headers
from anysgi._core._headers import add_headers, headers_from_environ
from anysgi.exceptions import BadRequest

if TYPE_CHECKING:
    from anysgi.types import HeaderList, UnderscorePolicy

ALL_BYTES = bytes(b for b in range(256) if b not in b"\r\n\0")


def added(headers: HeaderList, underscores: UnderscorePolicy = "drop") -> dict[str, Any]:
    environ: dict[str, Any] = {}
    add_headers(environ, headers, underscores)
    return environ


INTO_ENVIRON = {
    "a name is upper-cased and prefixed": ([(b"x-a", b"1")], {"HTTP_X_A": "1"}),
    "Content-Type has no prefix": ([(b"content-type", b"text/plain")], {"CONTENT_TYPE": "text/plain"}),
    "Content-Length has no prefix": ([(b"content-length", b"5")], {"CONTENT_LENGTH": "5"}),
    "mixed case is the same name": (
        [(b"Content-Type", b"a/b"), (b"CONTENT-LENGTH", b"5"), (b"X-Mixed-Case", b"1")],
        {"CONTENT_TYPE": "a/b", "CONTENT_LENGTH": "5", "HTTP_X_MIXED_CASE": "1"},
    ),
    "an empty value is kept": ([(b"x-a", b"")], {"HTTP_X_A": ""}),
    "Proxy is dropped (httpoxy)": ([(b"proxy", b"evil")], {}),
    "Proxy is dropped in any case": ([(b"Proxy", b"evil"), (b"PROXY", b"evil")], {}),
    "Transfer-Encoding is dropped: the server has undone it": ([(b"Transfer-Encoding", b"chunked")], {}),
    "repeated fields join with a comma": (
        [(b"x-a", b"1"), (b"x-b", b"2"), (b"X-A", b"3")],
        {"HTTP_X_A": "1, 3", "HTTP_X_B": "2"},
    ),
    "three of them, in order": ([(b"x-a", b"1"), (b"x-a", b"2"), (b"x-a", b"3")], {"HTTP_X_A": "1, 2, 3"}),
    "cookies join with a semicolon (RFC 9113)": (
        [(b"cookie", b"a=1"), (b"cookie", b"b=2")],
        {"HTTP_COOKIE": "a=1; b=2"},
    ),
    "the same Host twice is one Host": ([(b"host", b"a"), (b"host", b"a")], {"HTTP_HOST": "a"}),
    "the same Content-Type twice is one": ([(b"content-type", b"a/b")] * 2, {"CONTENT_TYPE": "a/b"}),
    "the same Authorization twice is one": ([(b"authorization", b"x")] * 3, {"HTTP_AUTHORIZATION": "x"}),
}


@pytest.mark.parametrize(("headers", "environ"), INTO_ENVIRON.values(), ids=INTO_ENVIRON)
def test_request_headers_become_environ_keys(headers: HeaderList, environ: dict[str, str]) -> None:
    assert added(headers) == environ


@pytest.mark.parametrize("name", [b"content-length", b"content-type", b"host", b"authorization"])
def test_a_field_that_must_be_single_is_never_joined_from_different_values(name: bytes) -> None:
    with pytest.raises(BadRequest, match=f"(?i){name.decode()}") as caught:
        added([(name, b"5"), (name, b"6")])
    assert caught.value.status == 400


LENGTHS = {
    "a number": ([b"5"], "5"),
    "zero": ([b"0"], "0"),
    "twice the same": ([b"5", b"5"], "5"),
    "twice the same in one line": ([b"5, 5"], "5"),
    "three times the same in one line": ([b"5,5 , 5"], "5"),
    "blanks around": ([b" 5 "], "5"),
    "as large as 19 digits": ([b"9" * 19], "9" * 19),
    "two numbers in one line": ([b"5,6"], None),
    "two numbers in two lines": ([b"5", b"6"], None),
    "negative": ([b"-1"], None),
    "signed": ([b"+5"], None),
    "no number": ([b"abc"], None),
    "empty": ([b""], None),
    "empty list": ([b","], None),
    "hexadecimal": ([b"0x5"], None),
    "underscore, which int() takes": ([b"1_0"], None),
    "a digit that is not ascii": ([b"\xb2"], None),
    "larger than any body": ([b"9" * 20], None),
    "larger than int() takes": ([b"9" * 5000], None),
}


@pytest.mark.parametrize(("values", "length"), LENGTHS.values(), ids=LENGTHS)
def test_content_length_is_one_number_or_a_bad_request(values: list[bytes], length: str | None) -> None:
    headers = [(b"content-length", value) for value in values]
    if length is not None:
        assert added(headers) == {"CONTENT_LENGTH": length}
    else:
        with pytest.raises(BadRequest, match="Content-Length"):
            added(headers)


SPOOFED = [(b"x-forwarded-for", b"real"), (b"x_forwarded_for", b"spoof")]
FRAMING = [b"content_length", b"Content_Length", b"content_type", b"transfer_encoding", b"proxy"]


def test_names_with_an_underscore_are_dropped_by_default() -> None:
    assert added(SPOOFED) == {"HTTP_X_FORWARDED_FOR": "real"}


def test_names_with_an_underscore_can_be_refused() -> None:
    with pytest.raises(BadRequest, match="'x_forwarded_for' has an underscore"):
        added(SPOOFED, "refuse")


@pytest.mark.parametrize(
    "seen", [[], [(b"x-forwarded-for", b"1")]], ids=["nothing before", "the other spelling before"]
)
def test_names_with_an_underscore_can_be_kept(seen: HeaderList) -> None:
    added(seen)
    assert added([SPOOFED[1]], "keep") == {"HTTP_X_FORWARDED_FOR": "spoof"}
    assert added(SPOOFED, "keep") == {"HTTP_X_FORWARDED_FOR": "real, spoof"}


@pytest.mark.parametrize("policy", ["drop", "keep"])
@pytest.mark.parametrize("name", FRAMING)
def test_no_policy_lets_a_client_forge_the_fields_that_frame_the_body(name: bytes, policy: UnderscorePolicy) -> None:
    assert added([(name, b"5")], policy) == {}


@given(st.lists(st.binary(max_size=6), max_size=4))
def test_names_of_any_bytes_stay_out_of_the_keys_of_the_request_itself(names: list[bytes]) -> None:
    environ = added([(name, b"1") for name in names if name.lower() != b"content-length"])
    assert all(key.startswith("HTTP_") or key == "CONTENT_TYPE" for key in environ)


@pytest.mark.parametrize("name", [b"x-a", b"cookie", b"x-never-seen-before"])
def test_every_header_byte_round_trips(name: bytes) -> None:
    environ = added([(name, ALL_BYTES)])
    assert list(environ.values()) == [ALL_BYTES.decode("latin-1")]
    assert headers_from_environ(environ) == [(name, ALL_BYTES)]


def _lines_run(headers: HeaderList) -> int:
    """How many lines of `anysgi._core._headers` run to add these."""
    lines = 0

    def count(frame: Any, event: str, arg: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != _headers.__file__:
            return None
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        added(headers)
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("name", [b"x-flood", b"cookie", b"host", b"X-Flood"])
def test_a_flood_of_one_header_takes_linear_time(name: bytes) -> None:
    few, many = _lines_run([(name, b"1")] * 2_000), _lines_run([(name, b"1")] * 4_000)
    assert many <= 2 * few
    assert len(added([(name, b"1")] * 50_000)) == 1


@pytest.mark.parametrize("policy", ["drop", "keep"])
def test_names_never_seen_again_do_not_fill_the_memory(policy: UnderscorePolicy) -> None:
    for number in range(3_000):
        name = f"x-hostile-{number}"
        assert added([(name.encode(), b"1")], policy) == {f"HTTP_X_HOSTILE_{number}": "1"}
        assert headers_from_environ({f"HTTP_X_HOSTILE_{number}": "1"}) == [(name.encode(), b"1")]
    assert len(_headers._KEYS) <= 1_024
    assert len(_headers._NAMES) <= 1_024


OUT_OF_ENVIRON = {
    "a key is lower-cased": ({"HTTP_X_A": "1"}, [(b"x-a", b"1")]),
    "CGI's own two keys": (
        {"CONTENT_TYPE": "a/b", "CONTENT_LENGTH": "5"},
        [(b"content-type", b"a/b"), (b"content-length", b"5")],
    ),
    "empty CGI values are absent (RFC 3875)": ({"CONTENT_TYPE": "", "CONTENT_LENGTH": ""}, []),
    "other empty values are values": ({"HTTP_X_A": ""}, [(b"x-a", b"")]),
    "the prefixed doubles of CGI's two keys are not headers": (
        {"HTTP_CONTENT_TYPE": "a", "HTTP_CONTENT_LENGTH": "5"},
        [],
    ),
    "HTTP_PROXY is not passed on": ({"HTTP_PROXY": "evil"}, []),
    "other keys are not headers": ({"REQUEST_METHOD": "GET", "wsgi.version": (1, 0), "HTTPS": "on"}, []),
    "a key of nothing but the prefix is no header": ({"HTTP_": "1"}, []),
    "latin-1 is bytes": ({"HTTP_X_A": "caf\xe9"}, [(b"x-a", b"caf\xe9")]),
    "real unicode, put there by a middleware, is UTF-8": ({"HTTP_X_A": "\u4e2d"}, [(b"x-a", b"\xe4\xb8\xad")]),
    "cookies stay one header": ({"HTTP_COOKIE": "a=1; b=2"}, [(b"cookie", b"a=1; b=2")]),
}


@pytest.mark.parametrize(("environ", "headers"), OUT_OF_ENVIRON.values(), ids=OUT_OF_ENVIRON)
def test_environ_keys_become_request_headers(environ: dict[str, Any], headers: HeaderList) -> None:
    before = dict(environ)
    assert headers_from_environ(environ) == headers
    assert environ == before
