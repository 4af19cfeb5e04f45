"""`BodyLength`: how many body bytes may go out, by Content-Length, HEAD, 204 and 304."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi._core._body_length import BodyLength
from anysgi.exceptions import AppProtocolError, AppValueError


def length(*values: bytes, method: str = "GET", status: int = 200) -> BodyLength:
    return BodyLength(method, status, [(b"x-a", b"1"), *((b"content-length", value) for value in values)])


def test_without_a_content_length_everything_goes_out() -> None:
    body = length()
    assert (body.declared, body.left, body.silent) == (None, None, False)
    assert body.clip(b"hello") == b"hello"
    assert body.left is None
    body.finish()


def test_with_a_content_length_exactly_that_goes_out() -> None:
    body = length(b"5")
    assert [body.clip(chunk) for chunk in (b"hel", b"lo!", b"more")] == [b"hel", b"lo", b""]
    assert body.left == 0
    body.finish()


@pytest.mark.parametrize("sent", [b"", b"hell"])
def test_a_body_that_ends_too_early_is_a_mistake(sent: bytes) -> None:
    body = length(b"5")
    body.clip(sent)
    with pytest.raises(AppProtocolError, match=f"declared Content-Length: 5 but sent {len(sent)} bytes"):
        body.finish()


BODILESS = {"HEAD": ("HEAD", 200), "204": ("GET", 204), "304": ("GET", 304), "HEAD answered 304": ("HEAD", 304)}


@pytest.mark.parametrize("values", [[], [b"5"]], ids=["no Content-Length", "Content-Length: 5"])
@pytest.mark.parametrize(("method", "status"), BODILESS.values(), ids=BODILESS)
def test_some_responses_have_no_body_whatever_they_say(method: str, status: int, values: list[bytes]) -> None:
    body = length(*values, method=method, status=status)
    assert body.silent
    assert body.clip(b"hello") == b""
    body.finish()


@pytest.mark.parametrize(("method", "status", "kept"), [("GET", 204, False), ("HEAD", 200, True), ("GET", 304, True)])
def test_content_length_is_forbidden_in_a_204_alone(method: str, status: int, kept: bool) -> None:
    headers = [(b"x-a", b"1"), (b"content-length", b"5"), (b"x-b", b"2")]
    BodyLength(method, status, headers)
    assert ((b"content-length", b"5") in headers) is kept
    assert headers[0] == (b"x-a", b"1")
    assert headers[-1] == (b"x-b", b"2")


def test_the_same_content_length_twice_leaves_once() -> None:
    headers = [(b"content-length", b"5"), (b"x-a", b"1"), (b"content-length", b"5"), (b"content-length", b"5")]
    BodyLength("HEAD", 200, headers)
    assert sorted(headers) == [(b"content-length", b"5"), (b"x-a", b"1")]


def test_the_same_content_length_twice_is_one() -> None:
    assert length(b"5", b"5").declared == 5


@pytest.mark.parametrize(
    "values",
    [[b"5", b"6"], [b"-1"], [b"+5"], [b"abc"], [b""], [b"5,5"], [b"1_0"], [b"0x5"], [b"\xb2"], [b"9" * 5000]],
    ids=["different", "negative", "signed", "text", "empty", "joined", "underscore", "hex", "not ascii", "huge"],
)
def test_a_content_length_that_is_not_one_number_is_refused(values: list[bytes]) -> None:
    with pytest.raises(AppValueError, match="Content-Length is not one number"):
        length(*values)


@given(st.integers(0, 30), st.lists(st.binary(max_size=10)))
def test_what_goes_out_is_the_front_of_what_came_in(declared: int, chunks: list[bytes]) -> None:
    body = length(b"%d" % declared)
    out = b"".join(body.clip(chunk) for chunk in chunks)
    assert out == b"".join(chunks)[:declared]
    assert body.left == declared - len(out)
