"""What is asked of every cell.  A check's name is its column in `limits.toml`, its docstring its line in the docs.

The last one ends the server.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from select import select
from uuid import uuid4

from .._client import Client, Reply
from .._doorman import Doorman, Silence
from .._process import Server, until
from ..apps._parts import BIG, blocks, piece


@dataclass(frozen=True)
class Visit:
    """One check's way to the server; `patience` bounds each wait, in seconds."""

    server: Server
    doorman: Doorman
    patience: float

    def client(self) -> Client:
        return self.server.client(timeout=self.patience)

    def get(self, target: str, *headers: str) -> Reply:
        return self.server.get(target, *headers, timeout=self.patience)


def bodies(visit: Visit) -> None:
    """A body of 1 MiB comes back as it was sent."""
    body = b"".join(blocks(1 << 20))
    with visit.client() as client:
        reply = client.post("/echo", body, "Content-Type: application/octet-stream")
    assert (reply.status, reply.complete) == (200, True)
    assert reply.body == body


def chunked(visit: Visit) -> None:
    """So does an upload in chunks, whose length nobody announced."""
    parts = list(blocks(300_000))
    with visit.client() as client:
        reply = client.post_chunked("/echo", parts, "Content-Type: application/octet-stream")
    assert (reply.status, reply.complete) == (200, True)
    assert reply.body == b"".join(parts)


def streaming(visit: Visit) -> None:
    """The first piece of a response is here before the app may make the second."""
    with visit.client() as client:
        client.request("GET", f"/stream?pieces=2&{visit.doorman.query}")
        app = visit.doorman.greet(visit.patience)
        reply = client.head()
        client.fill_until(b"piece 0\n")
        assert b"piece 1" not in client.buffer
        app.let_on()
        assert b"".join(client.pieces(reply)) == b"piece 0\npiece 1\n"
        assert app.hear_until("closed", visit.patience) == "closed here"


def cookies(visit: Visit) -> None:
    """Several cookies go each way."""
    reply = visit.get("/cookies", "Cookie: a=1; b=two")
    assert reply.json() == {"a": "1", "b": "two"}
    assert [cookie.partition("=")[0] for cookie in reply.all("set-cookie")] == ["first", "second"]


def unicode(visit: Visit) -> None:
    """A path beyond ASCII reaches the app's route as text."""
    assert visit.get("/show/caf%C3%A9/%E4%BD%A0").json()["rest"] == "café/你"


def head(visit: Visit) -> None:
    """HEAD has the head of GET, its Content-Length included, and no body."""
    with visit.client() as client:
        client.request("HEAD", "/hello", "Connection: close")
        reply = client.reply(bodiless=True)
        assert (reply.status, reply.header("content-length")) == (200, "5")
        assert client.rest() == b""


def no_content(visit: Visit) -> None:
    """204 has neither a body nor a Content-Length."""
    with visit.client() as client:
        client.request("GET", "/status/204", "Connection: close")
        reply = client.reply()
        assert (reply.status, reply.header("content-length")) == (204, None)
        assert client.rest() == b""


def errors(visit: Visit) -> None:
    """An exception of the app is a 500, and its traceback is in the server's log."""
    tag = uuid4().hex
    reply = visit.get(f"/error?tag={tag}")
    assert reply.status == 500
    visit.server.logged(f"boom before the head {tag}", visit.patience)
    assert "Traceback (most recent call last)" in visit.server.log()


def client_gone(visit: Visit) -> None:
    """A client that leaves closes the generator of its response."""
    client = visit.client()
    client.request("GET", f"/endless?pause=0.01&{visit.doorman.query}")
    app = visit.doorman.greet(visit.patience)
    client.fill()
    client.close()
    app.hear_until("closed", visit.patience)


def state(visit: Visit) -> None:
    """The lifespan ran once, and what it made is there for a request."""
    shown = visit.get("/state").json()
    assert (shown["startups"], shown["greeting"]) == (1, "from lifespan")


def sigterm(visit: Visit) -> None:
    """A response that SIGTERM finds between its two pieces is finished before the server ends, however long it is."""
    with visit.server.client(timeout=visit.patience, receive_buffer=65_536) as client:
        client.request("GET", f"/stream?pieces=2&{visit.doorman.query}")
        app = visit.doorman.greet(visit.patience)
        reply = client.head()
        client.fill_until(b"piece 0\n")
        assert visit.server.listens()
        visit.server.terminate()
        try:
            has_seen_the_signal(visit.server, client)
            app.let_on(BIG)
            with suppress(Silence):  # the server takes what it can, before the network takes it off its hands
                app.hear_until("exhausted", within=0.5)
            assert b"".join(client.pieces(reply)) == piece(0) + piece(1, BIG)
        finally:
            client.close()
            visit.server.wait()


def has_seen_the_signal(server: Server, client: Client) -> None:
    """It says so, or ends, or lets go of somebody; a server that shows nothing gets half a second to do its worst."""

    def seen() -> bool:
        said = any(words in server.log() for words in ("signal: term", "Shutting down", "graceful shutdown"))
        cut = bool(select([client.socket], [], [], 0)[0])
        return said or cut or not server.listens()

    with suppress(AssertionError):
        until(seen, "the server has seen SIGTERM", within=0.5)


CHECKS: dict[str, Callable[[Visit], None]] = {
    check.__name__: check
    for check in (
        *(bodies, chunked, streaming, cookies, unicode, head, no_content, errors, client_gone, state),
        sigterm,
    )
}
