"""Streams and disconnects: each piece arrives when it is made, and a client that leaves is noticed."""

from __future__ import annotations

import socket
import time

import psutil
import pytest

from ._cells import A2W, ASGI_SERVERS, NATIVE, ONE_APP_EACH, W2A, Cell, of, with_threads
from ._client import Client
from ._doorman import Doorman, Silence, Visitor
from ._process import Server, until

ALL = (*W2A, *A2W)
MIB = 1 << 20
ANSWERS_WITHIN = 2.0


def open_stream(server: Server, target: str, doorman: Doorman, *, receive_buffer: int = 0) -> tuple[Client, Visitor]:
    """A client that has the head and the first piece of a stream, and the app at the door."""
    client = server.client(receive_buffer=receive_buffer)
    mark = "&" if "?" in target else "?"
    client.request("GET", f"{target}{mark}{doorman.query}")
    visitor = doorman.greet()
    assert client.head().status == 200
    return client, visitor


@of(*ALL)
def test_each_piece_arrives_before_the_next_one_is_made(server: Server, doorman: Doorman) -> None:
    client, app = open_stream(server, "/stream?pieces=4", doorman)
    with client:
        # The head is consumed; what is left is read as raw bytes so that no framing can be waited for.
        for number in range(4):
            client.fill_until(f"piece {number}\n".encode())
            assert f"piece {number + 1}".encode() not in client.buffer
            if number < 3:
                app.let_on()
        assert app.hear_until("closed") == "closed here"


@of(*ALL)
def test_a_stream_ends_cleanly_and_is_closed_once(server: Server, doorman: Doorman) -> None:
    client = server.client()
    client.request("GET", f"/stream?pieces=2&{doorman.query}")
    app = doorman.greet()
    app.let_on()
    reply = client.reply()
    client.close()
    assert reply.complete
    assert reply.body == b"piece 0\npiece 1\n"
    assert [app.hear(), app.hear(), app.hear()] == ["exhausted", "closed here", ""]


@of(*ALL)
@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_stream_is_closed_when_its_client_leaves(server: Server, doorman: Doorman, leave: str) -> None:
    client, app = open_stream(server, "/endless?pause=0.01", doorman)
    client.fill()
    client.reset() if leave == "reset" else client.close()
    app.hear_until("closed")
    assert app.hear() == ""
    assert server.get("/hello").status == 200


@of(*ALL)
def test_a_download_is_closed_when_its_client_leaves(server: Server, doorman: Doorman) -> None:
    client, app = open_stream(server, "/endless", doorman)
    client.fill()
    client.close()
    app.hear_until("closed")
    assert server.get("/hello").status == 200


@of(*(cell for cell in W2A if not NATIVE))
def test_a_silent_app_can_ask_whether_its_client_left(server: Server, doorman: Doorman) -> None:
    client, app = open_stream(server, "/watch", doorman)
    client.fill_until(b"watching")
    client.close()
    assert app.hear() == "noticed"


@of(*(cell for cell in A2W if cell.server in {"waitress-lookahead", "gunicorn-gthread"}))
def test_a_silent_stream_is_cancelled_where_the_server_can_tell(server: Server, doorman: Doorman) -> None:
    client, app = open_stream(server, "/stream?pieces=2", doorman)
    client.fill_until(b"piece 0")
    client.close()
    assert app.hear().startswith("closed")
    assert server.get("/hello").status == 200
    assert "Socket error" not in server.log()  # gunicorn's word for what is no client that left


@of(*ALL)
def test_a_slow_reader_stops_the_app_inside_the_window(server: Server, doorman: Doorman) -> None:
    client, app = open_stream(server, "/endless", doorman, receive_buffer=65_536)
    made = 0
    while made < 64 and made_more(app, 0.5):
        made += 1
    # The kernel takes up to 4 MiB (tcp_wmem) and a server up to 64 KiB more; the adapter's window is 256 KiB.
    assert made <= 8
    while client.buffer or client.fill():  # it goes on when the client does
        client.take(MIB)
        if made_more(app, 0.01):
            break
    client.close()
    app.hear_until("closed")


def made_more(app: Visitor, within: float) -> bool:
    """Did the app get on with it?  Silence is the answer we look for: this is a bound, not a wait for an event."""
    try:
        return app.hear(within) == "made 1 MiB"
    except Silence:
        return False


@of(*(cell for cell in with_threads(ONE_APP_EACH, 2) if not cell.takes_one_at_a_time))
def test_two_dropped_streams_give_both_threads_back(server: Server, doorman: Doorman) -> None:
    streams = [open_stream(server, "/endless?pause=0.01", doorman) for _ in range(2)]
    for client, _ in streams:
        client.fill()
        client.close()
    assert server.get("/hello", timeout=ANSWERS_WITHIN).status == 200
    for _, app in streams:
        app.hear_until("closed")


@of(*ALL)
@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"], ids=["sized", "chunked"])
def test_half_an_upload_is_never_given_as_a_whole(server: Server, doorman: Doorman, cell: Cell, framing: str) -> None:
    client = server.client()
    client.request("POST", f"/upload?{doorman.query}", framing)
    client.send(b"7\r\nhalf of\r\n" if "chunked" in framing else b"half of it")
    if cell.buffers_uploads or (cell.app == "django" and "chunked" in framing):
        client.close()  # somebody waits for the end of the body before calling the app, and it never came
        assert server.get("/hello").status == 200
        assert doorman.nobody_waits()
        return
    app = doorman.greet()
    assert app.hear() == "reading"
    client.close()
    assert app.hear().startswith("truncated True"), "an OSError, or asyncio's cancellation"
    assert server.get("/hello").status == 200


@of(*(cell for cell in ALL if not cell.takes_one_at_a_time))
def test_half_closing_after_half_an_upload_leaves_no_one_spinning(server: Server, doorman: Doorman, cell: Cell) -> None:
    """Row 4: the client has shut down its sending side only, and waits for an answer."""
    worker = server.worker()
    with server.client() as client:
        client.request("POST", f"/upload?{doorman.query}", "Content-Length: 1000")
        client.send(b"half of it")
        client.socket.shutdown(socket.SHUT_WR)
        if not cell.buffers_uploads:
            app = doorman.greet()
            assert app.hear() == "reading"
            assert app.hear().startswith("truncated True")
        client.rest()
    assert server.get("/hello").status == 200
    until(lambda: is_idle(worker), "the server has come to rest", within=5)


def is_idle(process: psutil.Process) -> bool:
    """Less than 8 % of a processor in a quarter of a second; a busy loop gets more even on a crowded machine."""
    return process.cpu_percent(interval=0.25) < 8


def connected(process: psutil.Process) -> set[int]:
    """The ports of the clients this process has a connection with."""
    return {connection.raddr.port for connection in process.net_connections("tcp4") if connection.raddr}


def turn_the_loop(server: Server) -> None:
    """The server refuses nonsense without asking the app; its loop has then run what was ready before."""
    for _ in range(2):
        with server.client() as client:
            client.send(b"nonsense\r\n\r\n")
            assert client.head().status == 400


@of(*(Cell(server, "flask", "w2a", threads=2) for server in ASGI_SERVERS if not NATIVE))
def test_a_request_whose_client_left_the_queue_is_never_run(server: Server, doorman: Doorman) -> None:
    worker = server.worker()
    streams = [open_stream(server, "/stream?pieces=2", doorman) for _ in range(2)]
    waiting, queued = server.client(), time.monotonic()
    waiting.request("POST", f"/upload?{doorman.query}", "Content-Length: 0")
    behind = server.client()
    behind.request("GET", "/hello")
    port = waiting.socket.getsockname()[1]
    until(lambda: port in connected(worker), "the server has accepted the connection")
    waiting.close()
    until(lambda: port not in connected(worker), "the server has seen it leave")
    # The adapter looks after those who have queued for a while (50 ms), not at each that passes through the queue.
    until(lambda: time.monotonic() > queued + 0.3, "it has queued for a while")
    turn_the_loop(server)
    for _, app in streams:
        app.let_on()
    assert behind.reply().status == 200
    assert doorman.nobody_waits()
    for client, app in streams:
        app.hear_until("closed")
        client.close()
    behind.close()
