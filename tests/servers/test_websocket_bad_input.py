"""What no WebSocket client would send, to real servers, in both directions: what it is told, and that it costs nothing.

On a WSGI server the frames are ours to read.  On an ASGI server they are the server's: there the app has to hear that
it is over, and nothing else may be disturbed.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from websockets.sync.client import connect

from ._process import Server, until
from ._sockets import FAST, KEY, PROPER, Cell, head, request, serving, url

pytestmark = pytest.mark.server

BAD_HANDSHAKES = {
    "another version": ([*PROPER[:3], "sec-websocket-version: 8", KEY], 426),
    "no key": (PROPER[:4], 400),
    "a key that is none": ([*PROPER[:4], "sec-websocket-key: dG9vIHNob3J0"], 400),
}


def frame(first: int, payload: bytes = b"", *, masked: bool = True, length: bytes | None = None) -> bytes:
    """A frame with anything in it: RFC 6455 section 5.2.  `length` is the second byte and what extends it."""
    size = len(payload)
    if length is None:
        length = (
            bytes([size]) if size < 126 else b"\x7e" + pack("!H", size) if size < 65_536 else b"\x7f" + pack("!Q", size)
        )
    return bytes([first, length[0] | masked << 7]) + length[1:] + bytes(4) * masked + payload


MORE, TEXT, BINARY, CLOSE, PING = 0x80, 0x81, 0x82, 0x88, 0x89  # the end of a message; without 0x80 it goes on
MIB = 1 << 20
# RFC 6455: sections 5.1 to 5.5 (1002, a protocol error), 8.1 (1007, no UTF-8), 7.4.1 (1009, too large).
BAD_FRAMES = {
    "unmasked": (frame(TEXT, b"hi", masked=False), 1002),
    "unmasked, and a ping": (frame(PING, masked=False), 1002),
    "a reserved bit": (frame(TEXT | 0x40, b"hi"), 1002),
    "a reserved opcode": (frame(0x83, b"hi"), 1002),
    "a reserved control opcode": (frame(0x8B), 1002),
    "a fragmented ping": (frame(PING ^ 0x80) + frame(MORE), 1002),
    "a fragmented Close": (frame(CLOSE ^ 0x80, pack("!H", 1000)), 1002),
    "a long ping": (frame(PING, bytes(126)), 1002),
    "the rest of nothing": (frame(MORE, b"hi"), 1002),
    "a message inside a message": (frame(0x01, b"a") + frame(TEXT, b"b"), 1002),
    "a length of more bytes than it needs": (frame(TEXT, b"hello", length=b"\x7e\x00\x05"), 1002),
    "a length of 2**63": (frame(BINARY, length=b"\x7f" + b"\xff" * 8), 1002),
    "HTTP": (b"POST / HTTP/1.1\r\nhost: x\r\n\r\n", 1002),
    "no UTF-8": (frame(TEXT, b"\xff\xff"), 1007),
    "no UTF-8 in two pieces": (frame(0x01, b"\xc3") + frame(MORE, b"\x28"), 1007),
    "half a character": (frame(TEXT, b"\xe4\xb8"), 1007),
    "a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "17 MiB": (frame(BINARY, bytes(17 * MIB)), 1009),
    "17 MiB in pieces": (frame(0x02, bytes(MIB)) + frame(0x00, bytes(MIB)) * 16, 1009),
    "a Close of one byte": (frame(CLOSE, b"\x03"), 1002),
    **{
        f"a Close with {code}": (frame(CLOSE, pack("!H", code)), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 65_535)
    },
    "a Close whose reason is no UTF-8": (frame(CLOSE, pack("!H", 1000) + b"\xff"), 1007),
}
for number in (0, 999, 1004, 1005, 1006, 1015, 65_535):
    BAD_FRAMES[f"a Close with {number}"] = (frame(CLOSE, pack("!H", number)), 1002)
CLOSES = {code: frame(CLOSE, pack("!H", code) + b"bye") for code in (1000, 1001, 1011, 3000, 4999)}


def send_all_it_takes(sock: socket.socket, wire: bytes) -> None:
    try:
        sock.sendall(wire)
    except OSError:  # the server has heard enough
        pass


def told(sock: socket.socket) -> int | None:
    """The code of the Close that comes, 1005 for an empty one, None if the connection is cut without."""
    try:
        opcode, size = sock.recv(2, socket.MSG_WAITALL)
        payload = sock.recv(size, socket.MSG_WAITALL) if size else b""
    except (ConnectionError, ValueError):
        return None
    assert opcode == CLOSE
    return int.from_bytes(payload[:2], "big") if payload else 1005


def ended(sock: socket.socket) -> bool:
    """Whether the connection ends, with no answer of ours."""
    while sock.recv(65_536):
        pass
    return True


def opened(server: Server) -> socket.socket:
    sock = request(server, *PROPER)
    assert head(sock).startswith(b"HTTP/1.1 101 ")
    return sock


def still_serves(server: Server) -> None:
    with connect(url(server)) as ws:
        ws.send("still here")
        assert ws.recv(timeout=10) == "still here"


def tasks(server: Server) -> int:
    return int(server.get("/where").json()["tasks"])


def nothing_is_left(server: Server, expected_tasks: int) -> None:
    """No connection, and no WebSocket that an app still waits on."""
    worker = server.worker()
    until(lambda: not [c for c in worker.net_connections("tcp4") if c.raddr], "all connections are closed")
    until(lambda: tasks(server) <= expected_tasks, "no task outlives its WebSocket")


SOCKETS = [FAST[1].param()]
SOCKETS += [Cell(name, "starlette").param(pytest.mark.slow) for name in ("gunicorn-gevent", "gevent", "werkzeug")]


@pytest.mark.parametrize("cell", SOCKETS)
def test_on_a_wsgi_server_each_mistake_is_answered_as_rfc_6455_says(cell: Cell, tmp_path: Path) -> None:
    with serving(cell, tmp_path) as server:
        at_first = tasks(server)
        for name, (fields, status) in BAD_HANDSHAKES.items():
            with request(server, *fields) as sock:
                answer = head(sock)
                assert answer.split()[1] == str(status).encode(), name
                assert (b"sec-websocket-version: 13" in answer.lower()) == (status == 426)
        answers = {}
        for name, (wire, _) in BAD_FRAMES.items():
            with opened(server) as sock:
                send_all_it_takes(sock, wire)
                answers[name] = told(sock)
                assert ended(sock)
        assert answers == {name: code for name, (_, code) in BAD_FRAMES.items()}
        with request(server, *PROPER) as sock:  # frames before the 101, which a server may read with the request
            sock.sendall(frame(TEXT, b"hi"))
            head(sock)
        with socket.create_connection(("127.0.0.1", server.port), 10) as sock:  # plain HTTP where a WebSocket lives
            sock.sendall(b"GET /ws HTTP/1.1\r\nhost: x\r\n\r\n")
            assert head(sock).split()[1] == b"404"
        still_serves(server)
        nothing_is_left(server, at_first)


@pytest.mark.parametrize("cell", SOCKETS)
def test_on_a_wsgi_server_a_close_is_answered_in_kind_and_not_waited_for(cell: Cell, tmp_path: Path) -> None:
    with serving(cell, tmp_path) as server:
        at_first = tasks(server)
        for code, wire in {**CLOSES, 1005: frame(CLOSE)}.items():
            with opened(server) as sock:
                sock.sendall(wire)
                assert told(sock) == code
                assert ended(sock)
                server.logged(f"[app] closed with {code}")
        with opened(server) as sock:
            sock.sendall(frame(TEXT, b"close"))
            assert told(sock) == 4001
            assert ended(sock), "after `grace` seconds"
        still_serves(server)
        nothing_is_left(server, at_first)


# What servers let pass: they take the message, or wait for more of it.
FORGIVEN = {"most": {"a length of more bytes than it needs"}}
FORGIVEN["granian"] = {*FORGIVEN["most"], "HTTP", "17 MiB in pieces"}
CARRIERS = ["uvicorn", "uvicorn-wsproto", "hypercorn", "hypercorn-trio", "daphne", "granian"]
CARRIED = [Cell(name, "flask_sock").param(*([] if name == "uvicorn" else [pytest.mark.slow])) for name in CARRIERS]


@pytest.mark.parametrize("cell", CARRIED)
def test_on_an_asgi_server_each_mistake_ends_the_apps_websocket_and_no_other(cell: Cell, tmp_path: Path) -> None:
    """The codes are the server's business; that it ends, and the app hears of it, is ours."""
    wrong = {name: row for name, row in BAD_FRAMES.items() if name not in FORGIVEN.get(cell.server, FORGIVEN["most"])}
    with serving(cell, tmp_path) as server, ExitStack() as later:
        at_first = tasks(server)
        other = later.enter_context(connect(url(server)))
        seen: dict[str, Any] = {}
        for name, (wire, _) in wrong.items():
            before = server.log().count("[app] closed with")
            with opened(server) as sock:
                send_all_it_takes(sock, wire)
                seen[name] = told(sock)
            until(lambda before=before: server.log().count("[app] closed with") > before, f"the app hears of {name}")  # type: ignore[misc]
        if cell.server == "uvicorn":
            assert seen == {name: code for name, (_, code) in wrong.items()} | {"a length of 2**63": 1009}
        with opened(server) as sock:
            sock.sendall(frame(CLOSE, pack("!H", 4002) + b"bye"))
            assert told(sock) in (4002, 1000)
        other.send("undisturbed")
        assert other.recv(timeout=10) == "undisturbed"
        assert server.get("/ws").status in (400, 500), "plain HTTP where a WebSocket lives"
        other.close()
        nothing_is_left(server, at_first)
