"""The opening handshake: what makes a request one, what is wrong with it, and both sides of the answer."""

from __future__ import annotations

from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection, events

from anysgi._core._refusals import Refusal
from anysgi._core._scope import scope_from_environ
from anysgi._core._websocket_handshake import AppHandshake, ServerHandshake
from anysgi._core._websocket_messages import Accept
from anysgi._core._websocket_scope import asks_for_websocket, websocket_environ, websocket_scope
from anysgi.exceptions import AppProtocolError, BadRequest

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455 section 1.3, and what it is answered
ANSWER = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
PROPER = {b"upgrade": b"websocket", b"connection": b"keep-alive, Upgrade", b"sec-websocket-key": KEY}
PROPER |= {b"sec-websocket-version": b"13", b"host": b"example.org"}


def handshake(without: bytes = b"", **changes: bytes) -> ServerHandshake:
    fields = PROPER | {name.replace("_", "-").encode(): value for name, value in changes.items()}
    return ServerHandshake([(name, value) for name, value in fields.items() if name != without])


def test_the_example_of_the_rfc() -> None:
    answer, connection = handshake().accept(Accept(None, [(b"set-cookie", b"a=b")]))
    head, _, rest = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0].startswith(b"HTTP/1.1 101 ")
    assert {line.lower() for line in lines[1:]} == {
        b"upgrade: websocket",
        b"connection: upgrade",
        b"sec-websocket-accept: " + ANSWER.lower(),
        b"set-cookie: a=b",
    }
    assert rest == b""
    assert not connection.client


def test_a_subprotocol_is_named() -> None:
    answer, _ = handshake(sec_websocket_protocol=b"chat, superchat").accept(Accept("superchat", []))
    assert b"\r\nSec-WebSocket-Protocol: superchat\r\n" in answer


@pytest.mark.parametrize(
    ("without", "changes", "status"),
    [
        (b"sec-websocket-key", {}, 400),
        (b"sec-websocket-version", {}, 400),
        (b"connection", {}, 400),
        (b"", {"upgrade": b"h2c"}, 400),
        (b"", {"sec_websocket_version": b"8"}, 426),
        (b"", {"sec_websocket_version": b"14"}, 426),
        (b"", {"sec_websocket_key": b"too short"}, 400),
        (b"", {"sec_websocket_key": b"dG9vIHNob3J0"}, 400),
        (b"", {"sec_websocket_key": b"not base64, and not sixteen bytes"}, 400),
        (b"", {"sec_websocket_protocol": "chät".encode()}, 400),
        (b"", {"sec_websocket_extensions": b"\xff"}, 400),
        (b"", {"connection": b"upgrade\x00"}, 400),
    ],
)
def test_what_is_no_handshake(without: bytes, changes: Any, status: int) -> None:
    with pytest.raises(BadRequest) as refused:
        handshake(without, **changes)
    assert refused.value.status == status


def test_a_wrong_version_is_told_the_right_one() -> None:
    assert ("sec-websocket-version", "13") in Refusal(426).headers
    assert ("sec-websocket-version", "13") not in Refusal(400).headers


ASKING = {"REQUEST_METHOD": "GET", "HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"}


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({}, True),
        ({"HTTP_UPGRADE": "WebSocket"}, True),
        ({"HTTP_UPGRADE": "h2c, websocket"}, True),
        ({"HTTP_CONNECTION": "keep-alive,upgrade"}, True),
        ({"HTTP_UPGRADE": "h2c"}, False),
        ({"HTTP_UPGRADE": ""}, False),
        ({"HTTP_CONNECTION": "keep-alive"}, False),
        ({"HTTP_CONNECTION": ""}, False),
        ({"REQUEST_METHOD": "POST"}, False),
    ],
)
def test_which_requests_want_to_become_a_websocket(changes: Any, asks: bool) -> None:
    assert asks_for_websocket(ASKING | changes) is asks


def test_the_scope_of_a_websocket() -> None:
    environ = ASKING | {
        "SCRIPT_NAME": "",
        "PATH_INFO": "/chat",
        "QUERY_STRING": "room=1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https",
        "HTTP_SEC_WEBSOCKET_PROTOCOL": "chat, superchat,",
        "HTTP_COOKIE": "a=b",
    }
    scope = websocket_scope(scope_from_environ(environ) | {"state": {"db": 1}})
    assert (scope["type"], scope["scheme"], scope["http_version"]) == ("websocket", "wss", "1.1")
    assert (scope["path"], scope["query_string"]) == ("/chat", b"room=1")
    assert scope["subprotocols"] == ["chat", "superchat"]
    assert (b"cookie", b"a=b") in scope["headers"]
    assert scope["extensions"] == {"websocket.http.response": {}}
    assert scope["state"] == {"db": 1}
    assert "method" not in scope


def test_the_environ_of_a_websocket() -> None:
    scope = {
        "type": "websocket",
        "scheme": "wss",
        "http_version": "2",
        "path": "/chat",
        "query_string": b"room=1",
        "headers": [(b"cookie", b"a=b"), (b"sec-websocket-extensions", b"permessage-deflate")],
        "subprotocols": ["chat", "superchat"],
        "server": ("example.org", 443),
    }
    environ = websocket_environ(scope, "the key", underscores="drop", multiprocess=False)
    assert asks_for_websocket(environ)
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "example.org:443"
    assert environ["HTTP_SEC_WEBSOCKET_KEY"] == "the key"
    assert environ["HTTP_SEC_WEBSOCKET_VERSION"] == "13"
    assert environ["HTTP_SEC_WEBSOCKET_PROTOCOL"] == "chat, superchat"
    assert "HTTP_SEC_WEBSOCKET_EXTENSIONS" not in environ
    assert environ["asgi.scope"] is scope


def test_an_app_accepts_with_a_subprotocol_headers_and_a_first_message() -> None:
    client = AppHandshake(["chat", "superchat"])
    server = WSConnection(ConnectionType.SERVER)
    fields = {"Host": "app", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    fields |= {"Sec-WebSocket-Key": client.key, "Sec-WebSocket-Protocol": "chat, superchat"}
    server.receive_data(b"GET / HTTP/1.1\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in fields.items()) + b"\r\n")
    next(server.events())
    answer = server.send(events.AcceptConnection(subprotocol="chat", extra_headers=[(b"Set-Cookie", b"a=b")]))
    answer += server.send(events.TextMessage("hello"))
    assert client.receive(answer[:20]) is None
    assert client.receive(answer[20:]) == Accept("chat", [(b"set-cookie", b"a=b")])
    client.connection.receive_data(client.early)
    assert [event.data for event in client.connection.events()] == ["hello"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Ok\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: wrong\r\n\r\n",
        b"hello\r\n\r\n",
        b"\x00" * 100_000,
    ],
    ids=["403", "wrong accept", "no HTTP", "endless"],
)
def test_an_app_that_answers_something_else_is_at_fault(answer: bytes) -> None:
    with pytest.raises(AppProtocolError, match="wrote"):
        AppHandshake([]).receive(answer)
