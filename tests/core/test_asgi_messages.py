"""An ASGI app's messages, their order and their contents: every event in every state, and what a mistake leaves."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi._core._asgi_messages import ResponseMessages
from anysgi.exceptions import AppProtocolError, AppTypeError, AppValueError

if TYPE_CHECKING:
    from anysgi.types import Message


def start(status: Any = 200, *headers: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content: Any = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def response(*messages: Message, method: str = "GET") -> ResponseMessages:
    made = ResponseMessages(method, OFFERED)
    for message in messages:
        made.accept(message)
    return made


OFFERED = ("http.response.early_hint", "http.response.pathsend")
LENGTH_3 = (b"content-length", b"3")
TRAILERS = {"type": "http.response.trailers", "headers": [(b"x-a", b"1")]}
MESSAGES = {
    "start": start(),
    "more body": body(b"x", more=True),
    "final body": body(b"x"),
    "trailers": TRAILERS,
    "early hint": {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]},
    "pathsend": {"type": "http.response.pathsend", "path": "/a/file"},
    "unknown": {"type": "http.response.debug"},
    "of a websocket": {"type": "websocket.accept"},
}
STATES = {
    "idle": [],
    "started": [start()],
    "sending": [start(200, LENGTH_3), body(b"xy", more=True)],
    "streaming": [start(), body(b"x", more=True)],
    "whole": [start(200, LENGTH_3), body(b"xyz", more=True)],
    "done": [start(), body(b"x")],
}

# What comes of it: the bytes to send on, or what the mistake is called.
TABLE: dict[tuple[str, str], bytes | str] = {
    ("idle", "start"): b"",
    ("idle", "more body"): "before 'http.response.start'",
    ("idle", "final body"): "before 'http.response.start'",
    ("idle", "trailers"): "before 'http.response.start'",
    ("idle", "early hint"): b"",
    ("idle", "pathsend"): "before 'http.response.start'",
    ("started", "early hint"): "expected 'http.response.body'",
    ("started", "pathsend"): b"",
    ("sending", "early hint"): "expected 'http.response.body'",
    ("sending", "pathsend"): "expected 'http.response.body'",
    ("streaming", "early hint"): "expected 'http.response.body'",
    ("streaming", "pathsend"): "expected 'http.response.body'",
    ("done", "early hint"): "after the response was complete",
    ("done", "pathsend"): "after the response was complete",
    ("started", "start"): "expected 'http.response.body'",
    ("started", "more body"): b"x",
    ("started", "final body"): b"x",
    ("started", "trailers"): "expected 'http.response.body'",
    ("sending", "start"): "expected 'http.response.body'",
    ("sending", "more body"): b"x",
    ("sending", "final body"): b"x",
    ("sending", "trailers"): "expected 'http.response.body'",
    ("streaming", "start"): "expected 'http.response.body'",
    ("streaming", "more body"): b"x",
    ("streaming", "final body"): b"x",
    ("streaming", "trailers"): "expected 'http.response.body'",
    ("whole", "start"): "expected 'http.response.body'",
    ("whole", "more body"): "more body than its Content-Length",
    ("whole", "final body"): "more body than its Content-Length",
    ("whole", "trailers"): "expected 'http.response.body'",
    ("whole", "early hint"): "expected 'http.response.body'",
    ("whole", "pathsend"): "expected 'http.response.body'",
    ("done", "start"): "after the response was complete",
    ("done", "more body"): b"",
    ("done", "final body"): b"",
    ("done", "trailers"): b"",
    **{(state, message): "sent '" for state in STATES for message in ("unknown", "of a websocket")},
}


def test_the_table_is_complete() -> None:
    assert TABLE.keys() == {(state, message) for state in STATES for message in MESSAGES}


@pytest.mark.parametrize(("state", "message"), TABLE, ids=[f"{state}, {message}" for state, message in TABLE])
def test_every_message_in_every_state(state: str, message: str) -> None:
    made, expected = response(*STATES[state]), TABLE[state, message]
    before = (made.started, made.done, made.status, made.headers)
    if isinstance(expected, bytes):
        assert made.accept(MESSAGES[message]) == expected
        assert made.started is (message != "early hint")
        full = (state, message) in {("done", message), ("sending", "more body")}
        assert made.done is (full or message in ("final body", "pathsend"))
    else:
        with pytest.raises(AppProtocolError, match=expected) as caught:
            made.accept(MESSAGES[message])
        assert MESSAGES[message]["type"] in str(caught.value) or "Content-Length" in expected
        assert (made.started, made.done, made.status, made.headers) == before


def test_a_start_becomes_status_and_headers_as_wsgi_writes_them() -> None:
    made = response(start(404, (b"Content-Type", b"text/plain"), (b"x-a", b"caf\xe9")))
    assert made.status == "404 Not Found"
    assert made.headers == [("content-type", "text/plain"), ("x-a", "caf\xe9")]
    assert all(type(text) is str for header in made.headers for text in header)


def test_headers_and_body_and_more_body_may_be_left_out() -> None:
    made = response({"type": "http.response.start", "status": 200})
    assert made.headers == []
    assert made.accept({"type": "http.response.body"}) == b""
    assert made.done


STATUSES = {200: "200 OK", HTTPStatus.NOT_FOUND: "404 Not Found", 299: "299 Unknown", 599: "599 Unknown"}


@pytest.mark.parametrize(("status", "line"), STATUSES.items())
def test_a_status_is_a_number_of_a_final_response(status: int, line: str) -> None:
    assert response(start(status)).status == line


@pytest.mark.parametrize("status", [None, "200", 200.0, b"200", True, 0, -200, 199, 100, 600], ids=repr)
def test_any_other_status_is_refused(status: Any) -> None:
    made = ResponseMessages("GET")
    with pytest.raises(AppValueError, match="'status' must be an int from 200 to 599"):
        made.accept(start(status))
    assert not made.started


def test_a_start_without_status_is_refused() -> None:
    with pytest.raises(AppValueError, match="not None"):
        response({"type": "http.response.start"})


@pytest.mark.parametrize(
    "headers", [None, [("x", "1")], [(b"x", b"1\n2")], [(b"", b"1")], [LENGTH_3, (b"content-length", b"4")]]
)
def test_a_start_with_headers_that_cannot_be_sent_is_refused_and_may_be_mended(headers: Any) -> None:
    made = ResponseMessages("GET")
    with pytest.raises((AppTypeError, AppValueError)):
        made.accept({"type": "http.response.start", "status": 200, "headers": headers})
    assert not made.started
    made.accept(start(500))
    assert made.status == "500 Internal Server Error"


@pytest.mark.parametrize("content", [b"abc", bytearray(b"abc"), memoryview(b"abc")], ids=lambda c: type(c).__name__)
def test_a_body_is_some_kind_of_bytes(content: Any) -> None:
    sent = response(start()).accept(body(content))
    assert sent == b"abc"
    assert type(sent) is bytes


@pytest.mark.parametrize("content", ["abc", None, 5, [b"abc"]], ids=repr)
def test_a_body_of_another_type_is_refused(content: Any) -> None:
    made = response(start())
    with pytest.raises(AppTypeError, match=f"'body' must be bytes, not {type(content).__name__}"):
        made.accept(body(content))
    assert made.accept(body(b"abc")) == b"abc"


def test_a_body_of_its_content_length_is_complete() -> None:
    made = response(start(200, LENGTH_3), body(b"a", more=True))
    assert made.accept(body(b"bc")) == b"bc"
    assert made.done


def test_a_body_of_its_content_length_is_complete_before_the_app_says_so() -> None:
    messages = response(start(200, LENGTH_3), body(b"ab", more=True))
    assert not messages.done
    messages.accept(body(b"c", more=True))
    assert messages.done
    assert messages.accept(body(more=True)) == messages.accept(body()) == b""
    assert messages.done


@pytest.mark.parametrize("more", [True, False], ids=["more body", "final body"])
def test_more_body_than_content_length_is_refused_and_not_counted(more: bool) -> None:
    made = response(start(200, LENGTH_3), body(b"a", more=True))
    with pytest.raises(AppProtocolError, match="more body than its Content-Length: 3"):
        made.accept(body(b"bcd", more))
    assert made.accept(body(b"bc")) == b"bc"


def test_less_body_than_content_length_is_refused_and_not_counted() -> None:
    """A response that ends short must not count as done: its connection has to be cut."""
    made = response(start(200, LENGTH_3))
    for _ in range(2):
        with pytest.raises(AppProtocolError, match="declared Content-Length: 3 but sent 2 bytes"):
            made.accept(body(b"ab"))
        assert not made.done
    assert made.accept(body(b"abc")) == b"abc"
    assert made.done


BODILESS = {"HEAD": ("HEAD", 200), "204": ("GET", 204), "304": ("GET", 304)}


@pytest.mark.parametrize("headers", [[], [LENGTH_3]], ids=["no Content-Length", "Content-Length"])
@pytest.mark.parametrize(("method", "status"), BODILESS.values(), ids=BODILESS)
def test_where_no_body_is_allowed_it_is_dropped(method: str, status: int, headers: list[Any]) -> None:
    made = response(start(status, *headers), method=method)
    assert made.silent
    assert made.accept(body(b"abcdef", more=True)) == b""
    assert made.accept(body(b"abc")) == b""
    assert made.done


def test_a_204_loses_its_content_length_and_a_head_keeps_it() -> None:
    assert response(start(204, LENGTH_3)).headers == []
    assert response(start(200, LENGTH_3), method="HEAD").headers == [("content-length", "3")]


def test_a_get_of_200_is_not_silent() -> None:
    assert not response(start()).silent


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=6), st.booleans())
def test_every_body_comes_out_as_it_went_in(chunks: list[bytes], counted: bool) -> None:
    headers = [(b"content-length", b"%d" % sum(map(len, chunks)))] if counted else []
    made = response(start(200, *headers))
    last = len(chunks) - 1
    sent = [made.accept(body(chunk, more=index < last)) for index, chunk in enumerate(chunks)]
    assert sent == chunks
    assert made.done


def test_the_app_s_messages_are_left_as_they_were() -> None:
    first, second = start(204, (b"X-A", b" 1 "), LENGTH_3), body(b"x")
    before = ({**first, "headers": list(first["headers"])}, dict(second))
    response(first, second)
    assert (first, second) == before
