"""The table of an ASGI app's WebSocket messages, every cell of it, and what each message may hold."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi._core._websocket_messages import (
    CLOSED,
    CONNECTING,
    DENYING,
    OPEN,
    TRANSITIONS,
    Accept,
    Close,
    Data,
    Denial,
    WebSocketMessages,
    may_be_sent,
)
from anysgi.exceptions import AppProtocolError, AppTypeError, AppValueError

ACCEPT = {"type": "websocket.accept"}
SEND = {"type": "websocket.send", "text": "x"}
CLOSE = {"type": "websocket.close"}
START = {"type": "websocket.http.response.start", "status": 403, "headers": []}
BODY = {"type": "websocket.http.response.body", "body": b"no"}
MESSAGES = [ACCEPT, SEND, CLOSE, START, BODY]

ROADS = {CONNECTING: [], OPEN: [ACCEPT], DENYING: [START], CLOSED: [CLOSE]}
# Which of the messages may come next, and where they lead: the table in the words of the specification.
RULES = {
    CONNECTING: {"websocket.accept": OPEN, "websocket.close": CLOSED, "websocket.http.response.start": DENYING},
    OPEN: {"websocket.send": OPEN, "websocket.close": CLOSED},
    DENYING: {"websocket.http.response.body": DENYING},
    CLOSED: {},
}


def in_state(state: str) -> WebSocketMessages:
    messages = WebSocketMessages(["chat", "superchat"])
    for message in ROADS[state]:
        messages.accept(message)
    assert messages.state == state
    return messages


def test_the_table_has_no_cell_that_is_not_tested() -> None:
    assert TRANSITIONS == RULES


@pytest.mark.parametrize("state", RULES)
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["type"])
def test_every_message_in_every_state(state: str, message: Any) -> None:
    messages = in_state(state)
    following = RULES[state].get(message["type"])
    if following is None:
        with pytest.raises(AppProtocolError, match=message["type"]):
            messages.accept(message)
        assert messages.state == state
    else:
        messages.accept(message)
        assert messages.state == following


@pytest.mark.parametrize("state", RULES)
@pytest.mark.parametrize("message", [{}, {"type": "websocket.sned"}, {"type": "http.response.start"}], ids=repr)
def test_a_message_nobody_knows_is_the_apps_mistake(state: str, message: Any) -> None:
    with pytest.raises(AppProtocolError, match="the app sent"):
        in_state(state).accept(message)


@pytest.mark.parametrize(
    ("state", "message", "step"),
    [
        (CONNECTING, ACCEPT, Accept(None, [])),
        (CONNECTING, {**ACCEPT, "subprotocol": "chat"}, Accept("chat", [])),
        (CONNECTING, {**ACCEPT, "headers": None}, Accept(None, [])),
        (CONNECTING, {**ACCEPT, "headers": [(b"Set-Cookie", b" a=b")]}, Accept(None, [(b"set-cookie", b"a=b")])),
        (
            CONNECTING,
            {**ACCEPT, "headers": [(b"connection", b"close"), (b"sec-websocket-accept", b"x")]},
            Accept(None, []),
        ),
        (OPEN, {"type": "websocket.send", "text": "ü", "bytes": None}, Data("ü")),
        (OPEN, {"type": "websocket.send", "bytes": b"\xff"}, Data(b"\xff")),
        (OPEN, {"type": "websocket.send", "bytes": memoryview(b"ab")}, Data(b"ab")),
        (OPEN, {"type": "websocket.send", "bytes": b"", "text": "x"}, Data(b"")),
        (OPEN, CLOSE, Close(1000, "")),
        (OPEN, {**CLOSE, "code": None, "reason": None}, Close(1000, "")),
        (OPEN, {**CLOSE, "code": 4001, "reason": "später"}, Close(4001, "später")),
        (CONNECTING, START, Denial({"type": "http.response.start", "status": 403, "headers": []})),
        (DENYING, BODY, Denial({"type": "http.response.body", "body": b"no"})),
    ],
)
def test_what_a_message_asks_for(state: str, message: Any, step: Any) -> None:
    assert in_state(state).accept(message) == step


@pytest.mark.parametrize(
    ("state", "message", "error"),
    [
        (CONNECTING, {**ACCEPT, "subprotocol": "soap"}, AppValueError),
        (CONNECTING, {**ACCEPT, "subprotocol": b"chat"}, AppValueError),
        (CONNECTING, {**ACCEPT, "headers": [("set-cookie", "a=b")]}, AppTypeError),
        (CONNECTING, {**ACCEPT, "headers": [(b"x", b"a\r\nb: c")]}, AppValueError),
        (OPEN, {"type": "websocket.send"}, AppTypeError),
        (OPEN, {"type": "websocket.send", "text": None, "bytes": None}, AppTypeError),
        (OPEN, {"type": "websocket.send", "text": b"x"}, AppTypeError),
        (OPEN, {"type": "websocket.send", "bytes": "x"}, AppTypeError),
        (OPEN, {**CLOSE, "code": 1005}, AppValueError),
        (OPEN, {**CLOSE, "code": "1000"}, AppValueError),
        (OPEN, {**CLOSE, "reason": b"late"}, AppTypeError),
    ],
)
def test_a_value_that_may_not_be_sent_is_refused_and_changes_nothing(state: str, message: Any, error: Any) -> None:
    messages = in_state(state)
    with pytest.raises(error):
        messages.accept(message)
    assert messages.state == state


def test_the_close_codes_that_may_stand_in_a_close_frame() -> None:
    allowed = {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)}
    assert {code for code in range(6000) if may_be_sent(code)} == allowed
