"""The `start_response` protocol of PEP 3333: every event in every state, and what a mistake leaves behind."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import pytest

from anysgi._core import _start_response
from anysgi._core._start_response import ResponseHead, parse_status
from anysgi.exceptions import AppProtocolError, AppTypeError, AppValueError


class Boom(Exception):
    pass


def exc_info() -> Any:
    try:
        raise Boom
    except Boom:
        return sys.exc_info()


def propose(made: ResponseHead, status: Any, headers: Any, info: Any = None) -> None:
    try:
        made.propose(status, headers, info)
    finally:
        del info  # no cycle of our own making: see the test that looks for one


def head(*events: str, method: str = "GET") -> ResponseHead:
    """A head that went through `events`."""
    made = ResponseHead(method)
    for event in events:
        EVENTS[event](made)
    return made


EVENTS = {
    "start": lambda made: propose(made, "200 OK", [("X-A", "1")]),
    "start with exc_info": lambda made: propose(made, "500 Oops", [("X-A", "2")], exc_info()),
    "commit": lambda made: made.commit(),
}
STATES = {
    "idle": [],
    "proposed": ["start"],
    "replaced": ["start", "start with exc_info"],
    "committed": ["start", "commit"],
}

# What happens: the status that is in force afterwards, or the mistake.
TABLE = {
    ("idle", "start"): 200,
    ("idle", "start with exc_info"): 500,
    ("idle", "commit"): "never called start_response",
    ("proposed", "start"): "called twice",
    ("proposed", "start with exc_info"): 500,
    ("proposed", "commit"): 200,
    ("replaced", "start"): "called twice",
    ("replaced", "start with exc_info"): 500,
    ("replaced", "commit"): 500,
    ("committed", "start"): "after the head was sent",
    ("committed", "start with exc_info"): Boom,
    ("committed", "commit"): 200,
}


def test_the_table_is_complete() -> None:
    assert TABLE.keys() == {(state, event) for state in STATES for event in EVENTS}


@pytest.mark.parametrize(("state", "event"), TABLE, ids=[f"{state}, {event}" for state, event in TABLE])
def test_every_event_in_every_state(state: str, event: str) -> None:
    expected = TABLE[state, event]
    made = head(*STATES[state])
    if isinstance(expected, int):
        EVENTS[event](made)
        assert made.commit()["status"] == expected
    elif isinstance(expected, str):
        with pytest.raises(AppProtocolError, match=expected):
            EVENTS[event](made)
    else:
        with pytest.raises(expected):
            EVENTS[event](made)


def test_the_exception_of_a_late_start_is_raised_as_it_was() -> None:
    made, info = head("start", "commit"), exc_info()
    with pytest.raises(Boom) as caught:
        propose(made, "500 Oops", [], info)
    assert caught.value is info[1]
    assert caught.traceback[-1].name == "exc_info"


def test_no_cycle_keeps_the_exception_alive() -> None:
    """PEP 3333 asks for it: the traceback holds the frames that hold the traceback."""
    gc.disable()
    try:
        alive = weakref.ref(_late_exception())
        assert alive() is None
    finally:
        gc.enable()


def _late_exception() -> Boom:
    try:
        propose(head("start", "commit"), "500 Oops", [], exc_info())
    except Boom as error:
        return error
    raise AssertionError("nothing was raised")


WRONG: dict[str, tuple[Any, Any]] = {
    "a status that is none": ("abc", []),
    "a status of the wrong type": (200, []),
    "headers of the wrong type": ("404 Not Found", ()),
    "a header that would split the response": ("404 Not Found", [("X-A", "1\n2")]),
    "two lengths": ("404 Not Found", [("Content-Length", "1"), ("Content-Length", "2")]),
}


@pytest.mark.parametrize(("status", "headers"), WRONG.values(), ids=WRONG)
def test_a_refused_first_head_was_never_proposed(status: Any, headers: Any) -> None:
    made = head()
    with pytest.raises((AppTypeError, AppValueError)):
        propose(made, status, headers)
    with pytest.raises(AppProtocolError, match="never called start_response"):
        made.commit()
    propose(made, "200 OK", [])
    assert made.commit()["status"] == 200


@pytest.mark.parametrize(("status", "headers"), WRONG.values(), ids=WRONG)
def test_a_refused_replacement_leaves_the_head_it_was_to_replace(status: Any, headers: Any) -> None:
    made = head("start")
    with pytest.raises((AppTypeError, AppValueError)):
        propose(made, status, headers, exc_info())
    assert made.commit() == {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]}


def test_a_replacement_brings_its_own_length() -> None:
    made = head()
    propose(made, "200 OK", [("Content-Length", "100")])
    propose(made, "500 Oops", [("Content-Length", "3")], exc_info())
    assert made.length.declared == 3


LENGTHS = {
    "all of the body is at hand": ("GET", "200 OK", [], 3, b"3"),
    "an empty body": ("GET", "200 OK", [], 0, b"0"),
    "the app counted itself": ("GET", "200 OK", [("Content-Length", "3")], 3, b"3"),
    "the app counted otherwise: its word stands": ("GET", "200 OK", [("Content-Length", "5")], 3, b"5"),
    "a stream": ("GET", "200 OK", [], None, None),
    "a HEAD": ("HEAD", "200 OK", [], 3, b"3"),
    "a 204": ("GET", "204 No Content", [], 0, None),
    "a 204 of an app that counted": ("GET", "204 No Content", [("Content-Length", "0")], 0, None),
    "a 304": ("GET", "304 Not Modified", [], 0, None),
    "a 304 of an app that counted": ("GET", "304 Not Modified", [("Content-Length", "5")], 0, b"5"),
}


@pytest.mark.parametrize(("method", "status", "headers", "whole", "length"), LENGTHS.values(), ids=LENGTHS)
def test_content_length_is_added_where_it_is_known_and_allowed(
    method: str, status: str, headers: list[tuple[str, str]], whole: int | None, length: bytes | None
) -> None:
    made = head(method=method)
    propose(made, status, headers)
    given = list(headers)
    sent = made.commit(whole=whole)["headers"]
    assert [value for name, value in sent if name == b"content-length"] == ([] if length is None else [length])
    assert headers == given


STATUSES = {"200 OK": 200, "200": 200, "200 ": 200, "404 Not Found": 404, "599 Odd": 599, "418 caf\xe9 \u4e2d": 418}


class Text(str):
    pass


@pytest.mark.parametrize(("status", "code"), STATUSES.items(), ids=ascii)
def test_a_status_is_a_code_and_perhaps_a_reason(status: str, code: int) -> None:
    assert parse_status(status) == parse_status(status) == parse_status(Text(status)) == code


NO_STATUS = [
    "",
    "abc",
    "OK",
    "20 OK",
    "2000 OK",
    "199 X",
    "100 Continue",
    "600 X",
    "-20 X",
    "2 0 0",
    " 200 OK",
    "200\tOK",
]
SPLITTING = ["200 OK\r\nX: 1", "200 \n", "200 OK\0", "200 \r"]


@pytest.mark.parametrize("status", [*NO_STATUS, "\uff12\uff10\uff10 OK", "2\xb20 OK"], ids=ascii)
def test_a_status_without_a_code_is_refused(status: str) -> None:
    with pytest.raises(AppValueError, match="status must begin with a code"):
        parse_status(status)


@pytest.mark.parametrize("status", SPLITTING, ids=ascii)
def test_a_status_that_would_split_the_response_is_refused(status: str) -> None:
    with pytest.raises(AppValueError, match="split the response"):
        parse_status(status)


@pytest.mark.parametrize("status", [200, b"200 OK", None, ("200", "OK")], ids=repr)
def test_a_status_of_another_type_is_refused(status: object) -> None:
    with pytest.raises(AppTypeError, match="status must be a str"):
        parse_status(status)


def test_statuses_never_seen_again_do_not_fill_the_memory() -> None:
    for number in range(1_000):
        assert parse_status(f"200 {number}") == 200
    assert len(_start_response._statuses) <= 256
