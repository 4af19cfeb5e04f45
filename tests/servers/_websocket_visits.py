"""Clients of a WebSocket echo that stay to the end, or leave at a random point, or never spoke the protocol."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from ._process import Server
from ._sockets import PROPER, head, request, url
from ._visits import THREADS

Deed = Callable[[Server, random.Random], None]
MASKED_HI = b"\x81\x82\0\0\0\0hi"
NONSENSE = [b"\xff" * 4, b"\x81\x02hi", b"\x81\x82\0\0\0\0\xff\xff", b"\x09\x80\0\0\0\0", b"GET / HTTP/1.1\r\n\r\n"]


def talk(ws: Any, chance: random.Random) -> None:
    for _ in range(chance.randrange(8)):
        message: str | bytes = chance.choice([str.encode, str])("ä" * chance.randrange(1, 40_000))
        ws.send(message if chance.random() < 0.5 else [message[:7], message[7:]])
        assert ws.recv(timeout=15) == message


def whole_conversation(server: Server, chance: random.Random) -> None:
    with connect(url(server), compression=chance.choice([None, "deflate"])) as ws:
        talk(ws, chance)
        if chance.random() < 0.5:
            ws.send("close")
            with suppress(ConnectionClosed):
                ws.recv(timeout=15)
            assert ws.close_code == 4001


def see_it_fail(server: Server, chance: random.Random) -> None:
    with connect(url(server)) as ws:
        ws.send("boom")
        with suppress(ConnectionClosed):
            ws.recv(timeout=15)
        assert ws.close_code == 1011


def vanish(server: Server, chance: random.Random) -> None:
    with connect(url(server), close_timeout=1) as ws:
        talk(ws, chance)
        ws.socket.shutdown(chance.choice([socket.SHUT_RDWR, socket.SHUT_WR]))


def leave_in_a_frame(server: Server, chance: random.Random) -> None:
    with request(server, *PROPER) as sock:
        head(sock)
        sock.sendall((MASKED_HI * 2)[: chance.randrange(16)])
        leave(sock, chance)


def leave_in_the_handshake(server: Server, chance: random.Random) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        sock.sendall("\r\n".join(["GET /ws HTTP/1.1", *PROPER, "", ""]).encode()[: chance.randrange(150)])
        leave(sock, chance)


def talk_nonsense(server: Server, chance: random.Random) -> None:
    with request(server, *PROPER) as sock:
        head(sock)
        with suppress(ConnectionError):
            sock.sendall(chance.choice(NONSENSE))
            while sock.recv(65_536):  # a Close, and the end
                pass


def never_read(server: Server, chance: random.Random) -> None:
    with request(server, *PROPER) as sock:
        head(sock)
        sock.settimeout(0.2)
        with suppress(OSError):
            for _ in range(100):
                sock.sendall(b"\x82\xfe\xff\xff\0\0\0\0" + bytes(65_535))
        leave(sock, chance)


def never_answer_the_close(server: Server, chance: random.Random) -> None:
    with request(server, *PROPER) as sock:
        head(sock)
        sock.sendall(b"\x81\x85\0\0\0\0close")
        assert sock.recv(1) == b"\x88"
        leave(sock, chance)


def leave(sock: socket.socket, chance: random.Random) -> None:
    if chance.random() < 0.5:  # without a word
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


DEEDS: tuple[Deed, ...] = (
    whole_conversation,
    see_it_fail,
    vanish,
    leave_in_a_frame,
    leave_in_the_handshake,
    talk_nonsense,
    never_read,
    never_answer_the_close,
)


def open_many(server: Server) -> None:
    """So that the pools have more threads than any crowd of clients will need."""
    with ExitStack() as stack:
        for _ in range(3 * THREADS):
            stack.enter_context(connect(url(server)))


def any_conversation(server: Server, chance: random.Random) -> None:
    chance.choices(DEEDS, [8, *[1] * (len(DEEDS) - 1)])[0](server, chance)
