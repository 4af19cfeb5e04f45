"""httpbin, a Flask app nobody here wrote: through the adapters it answers as it does without them.

Every request of the table goes to httpbin itself on gunicorn gthread and to httpbin behind the adapters.  The answers
are compared field by field, except for what `NOISE` names.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from ._cells import Cell, of
from ._client import Reply
from ._process import Server
from .conftest import Servers

NATIVE = Cell("gunicorn-gthread", "httpbin", "native")
CELLS = [
    Cell("uvicorn-h11", "httpbin", "w2a"),
    Cell("uvicorn-httptools", "httpbin", "w2a"),
    Cell("hypercorn", "httpbin", "w2a"),
    Cell("gunicorn-gthread", "httpbin", "both"),
    Cell("waitress", "httpbin", "both"),
]
# The server's own headers; how it frames a body (its length, if known, is checked against the body by the client).
NOISE = {"date", "server", "connection", "keep-alive", "transfer-encoding", "via"}
# Made anew for each answer by httpbin.
RANDOM = re.compile(r'"(uuid|startedDateTime)": "[^"]*"')
FORM = "Content-Type: application/x-www-form-urlencoded"
PARTS = (
    b'--cut\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue \xc3\xa9\r\n'
    b'--cut\r\nContent-Disposition: form-data; name="upload"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    + b"line\n" * 30_000
    + b"\r\n--cut--\r\n"
)


@dataclass(frozen=True)
class Ask:
    """One request of the table."""

    method: str
    target: str
    headers: tuple[str, ...] = ()
    body: bytes | None = None
    random: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.method} {self.target}" + "".join(f" {line.partition(':')[0]}" for line in self.headers)


def get(target: str, *headers: str, random: tuple[str, ...] = ()) -> Ask:
    return Ask("GET", target, headers, random=random)


def write(method: str, target: str, body: bytes, *headers: str) -> Ask:
    return Ask(method, target, headers, body)


TABLE = [
    get("/get?a=1&a=2&b=%C3%A9"),
    get("/headers", "X-Name: caf\xe9", "Accept: */*"),
    get("/ip"),
    get("/user-agent", "User-Agent: someone/1.0"),
    get("/anything/%C3%BCn%C3%AF/%E4%BD%A0?q=%F0%9F%98%80"),
    get("/encoding/utf8"),
    get("/html"),
    get("/json"),
    get("/xml"),
    get("/robots.txt"),
    get("/image/png"),
    get("/stream/20"),
    get("/stream-bytes/200000?seed=3&chunk_size=1000"),
    get("/drip?duration=0.2&numbytes=5&delay=0.1"),
    get("/delay/0.2"),
    get("/bytes/100000?seed=1"),
    get("/range/10000?chunk_size=100"),
    get("/range/10000", "Range: bytes=10-200"),
    get("/range/10000", "Range: bytes=9000-"),
    get("/range/10000", "Range: bytes=20000-30000"),
    get("/gzip"),
    get("/deflate"),
    get("/brotli"),
    get("/cookies", "Cookie: a=1; b=two"),
    get("/cookies/set?first=1&second=two"),
    get("/cookies/delete?first", "Cookie: first=1"),
    get("/redirect/3"),
    get("/relative-redirect/2"),
    get("/absolute-redirect/2"),
    get("/redirect-to?url=%2Fget&status_code=307"),
    get("/response-headers?X-One=1&X-Many=a&X-Many=b&Content-Type=text%2Fplain"),
    get("/etag/abc", "If-None-Match: abc"),
    get("/etag/abc", "If-Match: other"),
    get("/etag/abc"),
    get("/cache", random=("etag", "last-modified")),
    get("/cache", "If-None-Match: anything"),
    get("/cache/60"),
    get("/basic-auth/user/secret", "Authorization: Basic dXNlcjpzZWNyZXQ="),
    get("/basic-auth/user/secret", "Authorization: Basic d3Jvbmc6d3Jvbmc="),
    get("/basic-auth/user/secret"),
    get("/hidden-basic-auth/user/secret"),
    get("/bearer", "Authorization: Bearer token"),
    get("/links/3/1"),
    get("/forms/post"),
    get("/no-such-page"),
    *(get(f"/status/{status}") for status in (200, 201, 204, 304, 400, 401, 404, 405, 418, 429, 500, 503)),
    Ask("HEAD", "/get"),
    Ask("HEAD", "/bytes/1000?seed=1"),
    Ask("OPTIONS", "/get"),
    Ask("DELETE", "/delete"),
    Ask("POST", "/get"),
    write("POST", "/post", b"a=1&b=%C3%A9&a=2", FORM),
    write("POST", "/post", b'{"key": ["value", 1]}', "Content-Type: application/json"),
    write("POST", "/post", PARTS, "Content-Type: multipart/form-data; boundary=cut"),
    write("POST", "/post", bytes(range(256)) * 400, "Content-Type: application/octet-stream"),
    write("POST", "/post", b"", FORM),
    write("PUT", "/put", b"text", "Content-Type: text/plain"),
    write("PATCH", "/patch", b"text", "Content-Type: text/plain"),
    write("POST", "/status/418", b"unread" * 20_000),
    write("POST", "/anything", b"x=y", FORM, "Cookie: c=1"),
]


def answers(server: Server, ask: Ask) -> list[Reply]:
    """The answer; when it is a redirect, also those of the chain it starts."""
    replies = [answer(server, ask)]
    while (where := replies[-1].header("location")) and len(replies) < 10 and ask.method == "GET":
        replies.append(answer(server, get(re.sub(r"^http://[^/]*", "", where), *ask.headers)))
    return replies


def answer(server: Server, ask: Ask) -> Reply:
    with server.client() as client:
        if ask.body is None:
            client.request(ask.method, ask.target, *ask.headers)
            return client.reply(bodiless=ask.method == "HEAD")
        return client.post_as(ask.method, ask.target, ask.body, *ask.headers)


def comparable(reply: Reply, random: tuple[str, ...]) -> dict[str, Any]:
    """All of an answer but the noise."""
    body = gzip.decompress(reply.body) if reply.header("content-encoding") == "gzip" else reply.body
    length = () if reply.header("content-encoding") != "gzip" else ("content-length",)  # holds the time it was made at
    hidden = NOISE.union(random, length)
    kept = [(name, in_order(name, value)) for name, value in reply.headers if name not in hidden]
    names = sorted({name for name, _ in kept})
    return {
        "status": reply.status,
        "complete": reply.complete,
        "headers": {name: [value for key, value in kept if key == name] for name in names},
        "body": RANDOM.sub("", body.decode("utf-8", "surrogateescape")),
        "interim": reply.interim,
    }


def in_order(name: str, value: str) -> str:
    """Flask writes `Allow` in the order of a set, another one in each process."""
    return ", ".join(sorted(value.split(", "))) if name == "allow" else value


def without_lengths_learned(given: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A stream that was all there at once may be sent with its length; the client has checked that it is true."""
    for mine, theirs in zip(given, expected, strict=False):
        if "content-length" not in theirs["headers"]:
            mine["headers"].pop("content-length", None)
    return given


@pytest.fixture(params=TABLE, ids=lambda ask: ask.name)
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.param
    return found


@of(*CELLS)
def test_httpbin_answers_as_it_does_without_an_adapter(servers: Servers, server: Server, ask: Ask) -> None:
    expected = [comparable(reply, ask.random) for reply in answers(servers.get(NATIVE), ask)]
    given = [comparable(reply, ask.random) for reply in answers(server, ask)]
    assert without_lengths_learned(given, expected) == expected


@of(*CELLS)
def test_httpbin_gets_a_chunked_upload(server: Server) -> None:
    with server.client() as client:
        reply = client.post_chunked("/post", [b"first ", b"second"], "Content-Type: application/octet-stream")
    assert reply.status == 200
    assert json.loads(reply.body)["data"] == "first second"


@of(*CELLS)
def test_httpbin_drips_piece_by_piece(server: Server) -> None:
    with server.client() as client:
        client.request("GET", "/drip?duration=0.5&numbytes=5&delay=0")
        pieces = [piece for piece in client.pieces(client.head()) if piece]
    assert b"".join(pieces) == b"*****"
    assert len(pieces) >= 3, "one byte at a time, though two may meet on the way"
