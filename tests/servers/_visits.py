"""Clients of a real server that stay to the end, or leave at a random point; and what must be true of each of them.

A response that came to a clean end has the right bytes.  An upload carries its own truth to the app's journal, in a
ledger named `SIZE-SENT-NUMBER`: what the app counted as whole must be all of it (`check_ledgers`).
"""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress

from ._client import Client
from ._doorman import Doorman
from ._process import Server, until
from .apps._parts import blocks, digest

THREADS = 8
MOST = 2_000_000  # bytes of a body

Deed = Callable[[Client, random.Random], None]


# --- to the end


def whole_exchange(client: Client, chance: random.Random) -> None:
    body = bytes(chance.randrange(200_000))
    client.request("POST", "/echo", f"Content-Length: {len(body)}")
    client.send(body)
    assert whole_body(client) == body


def whole_download(client: Client, chance: random.Random) -> None:
    size = chance.randrange(MOST)
    client.request("GET", download(size, chance))
    assert client.digest(client.head()) == (digest(blocks(size)), size)


def slow_download(client: Client, chance: random.Random) -> None:
    """The server is through with its writing long after the app would be."""
    size = chance.randrange(MOST // 4)
    client.request("GET", download(size, chance))
    taken = 0
    for piece in client.pieces(client.head()):
        taken += len(piece)
        time.sleep(0.002)  # being slow is what this client is for
    assert taken == size


def whole_upload(client: Client, chance: random.Random) -> None:
    size = chance.randrange(MOST // 2)
    begin_upload(client, chance, size, size)
    assert json.loads(whole_body(client)) == {"sha256": digest(blocks(size)), "count": size}


WHOLE: tuple[Deed, ...] = (whole_exchange, whole_download, slow_download, whole_upload)


# --- not to the end


def leave_a_download(client: Client, chance: random.Random) -> None:
    client.request("GET", download(MOST, chance))
    read_some(client, chance)


def leave_an_endless_stream(client: Client, chance: random.Random) -> None:
    client.request("GET", chance.choice(["/endless", "/endless?pause=0.001"]))
    read_some(client, chance)


def leave_an_upload(client: Client, chance: random.Random) -> None:
    size = 1 + chance.randrange(MOST // 2)
    begin_upload(client, chance, size, chance.randrange(size))


def leave_at_once(client: Client, chance: random.Random) -> None:
    client.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n"[: chance.randrange(28)])


def half_close_a_download(client: Client, chance: random.Random) -> None:
    """Some take it for leaving, if the app is slow to answer: then it is cut, or refused, and looks it."""
    size = chance.randrange(MOST)
    client.request("GET", download(size, chance))
    say_no_more(client)
    reply = client.head()
    assert reply.status == 503 or client.digest(reply) == (digest(blocks(size)), size)


def half_close_an_upload(client: Client, chance: random.Random) -> None:
    size = 1 + chance.randrange(MOST // 2)
    begin_upload(client, chance, size, chance.randrange(size))
    say_no_more(client)
    reply = client.reply()
    assert reply.status >= 400 or not reply.complete, f"a truncated upload was answered {reply.status} {reply.body!r}"


def see_it_fail(client: Client, chance: random.Random) -> None:
    client.request("GET", "/error-late?tag=chaos" + chance.choice(["", "&length=100"]))
    reply = client.reply()
    assert not reply.complete, f"a response that failed looks whole: {reply.body!r}"


LEAVING: tuple[Deed, ...] = (leave_a_download, leave_an_endless_stream, leave_an_upload, leave_at_once)
CURIOUS: tuple[Deed, ...] = (half_close_a_download, half_close_an_upload, see_it_fail)


# --- parts of them


def download(size: int, chance: random.Random) -> str:
    return f"/download?size={size}" + chance.choice(["", "&chunked=1"])


def begin_upload(client: Client, chance: random.Random, size: int, sent: int) -> None:
    """Send the head, and `sent` bytes of the body; its end too if they are all."""
    ledger = f"{size}-{sent}-{chance.getrandbits(64):x}"
    chunked = chance.random() < 0.5
    client.request(
        "POST", f"/upload?ledger={ledger}", "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    )
    for part in parts_of(sent, chance):
        client.send(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
    if chunked and sent == size:
        client.send(b"0\r\n\r\n")


def parts_of(size: int, chance: random.Random) -> Iterator[bytes]:
    """The bytes of `blocks(size)`, in pieces of any size."""
    for whole in blocks(size):
        cut = chance.randrange(len(whole) + 1)
        yield from filter(None, (whole[:cut], whole[cut:]))


def say_no_more(client: Client) -> None:
    with suppress(OSError):  # the server was quicker
        client.socket.shutdown(socket.SHUT_WR)


def whole_body(client: Client) -> bytes:
    """The body of a response that came to its end; otherwise `Cut` is raised."""
    reply = client.head()
    assert reply.status == 200
    return b"".join(client.pieces(reply))


def read_some(client: Client, chance: random.Random) -> None:
    for _ in range(chance.randrange(4)):
        client.fill()


# --- many of them


def visit(server: Server, chance: random.Random) -> None:
    """One client of the plain soak."""
    act(server, chance.choices((whole_exchange, *LEAVING), (3, 3, 2, 2, 1)), chance)


def any_visit(server: Server, chance: random.Random) -> None:
    """One client of the chaos: some keep their connection for more."""
    kinds = [WHOLE] * chance.randrange(3) + [chance.choice((WHOLE, LEAVING, CURIOUS))]
    act(server, [chance.choice(kind) for kind in kinds], chance)


def act(server: Server, deeds: list[Deed], chance: random.Random) -> None:
    """Do deeds on one connection; only those that stay to the end may not be disappointed."""
    with server.client() as client:
        for deed in deeds:
            with nullcontext() if deed in WHOLE else suppress(ConnectionError):
                deed(client, chance)
            if client.last:
                break
        if deeds[-1] not in WHOLE and chance.random() < 0.5:
            client.reset()


def unlucky_visit(server: Server, chance: random.Random) -> None:
    """The same where a worker may be killed: being cut is no disappointment, being lied to is."""
    with suppress(ConnectionError):
        any_visit(server, chance)


def crowd_of_clients(server: Server, seed: int, visits: int) -> None:
    with ThreadPoolExecutor(THREADS) as crowd:
        list(crowd.map(lambda number: visit(server, random.Random(seed + number)), range(visits)))


def occupy_all_threads(server: Server, doorman: Doorman) -> None:
    """So that the pools have all the threads they will ever have before anything is counted."""
    clients = [server.client() for _ in range(THREADS)]
    for client in clients:
        client.request("GET", f"/stream?pieces=2&{doorman.query}", "Connection: close")
    for visitor in [doorman.greet() for _ in clients]:
        visitor.let_on()
    for client in clients:
        assert client.reply().complete
        client.close()


def calm(server: Server) -> None:
    """No connection is left: what clients abandoned has been noticed."""
    worker = server.worker()
    until(lambda: not [c for c in worker.net_connections("tcp4") if c.raddr], "all connections are closed")


def check_ledgers(server: Server) -> tuple[int, int]:
    """No upload was counted as whole that was not; returns how many were whole, and how many the app saw break off."""
    whole = broken = 0
    for line in server.journal.read_text(encoding="utf-8").splitlines():
        ledger, _, entry = line.partition(" ")
        if entry.startswith("whole"):
            size, sent, _ = ledger.split("-")
            assert entry.split()[1] == size == sent, f"an upload of {size} bytes, of which {sent} were sent: {entry}"
            whole += 1
        broken += entry.startswith("truncated")
    return whole, broken
