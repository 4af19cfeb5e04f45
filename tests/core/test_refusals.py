"""`Refusal`: the adapter's own short answers, in either convention."""

from __future__ import annotations

from anysgi._core._asgi_messages import ResponseMessages
from anysgi._core._refusals import Refusal
from anysgi._core._start_response import encode_headers, parse_status


def test_it_says_its_status_unless_told_what_to_say() -> None:
    assert Refusal(504).body == b"Gateway Timeout\n"
    assert Refusal(400, "two lengths").body == b"two lengths\n"


def test_text_that_is_not_ascii_is_utf_8() -> None:
    refusal = Refusal(400, "caf\xe9")
    assert refusal.body == "caf\xe9\n".encode()
    assert ("content-length", "6") in refusal.headers
    assert ("content-type", "text/plain; charset=utf-8") in refusal.headers


def test_it_is_a_wsgi_answer() -> None:
    refusal = Refusal(413, "too large")
    assert refusal.status_line == f"413 {refusal.status_line[4:]}"
    assert parse_status(refusal.status_line) == 413
    assert dict(encode_headers(refusal.headers))[b"content-length"] == b"10"


def test_it_is_an_asgi_answer() -> None:
    refusal = Refusal(503, retry_after=5)
    response = ResponseMessages("GET")
    body = b"".join(response.accept(message) for message in refusal.messages)
    assert response.done
    assert response.status == "503 Service Unavailable"
    assert body == b"Service Unavailable\n"
    assert ("retry-after", "5") in response.headers


def test_retry_after_is_said_only_where_it_is_known() -> None:
    assert not [name for name, _ in Refusal(503).headers if name == "retry-after"]
    assert ("retry-after", "0") in Refusal(503, retry_after=0).headers


def test_a_status_that_is_not_registered_is_unknown() -> None:
    refusal = Refusal(499)
    assert refusal.status_line == "499 Unknown"
    assert refusal.body == b"Unknown\n"
