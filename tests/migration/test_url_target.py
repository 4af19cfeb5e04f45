"""A server that is compared: one connection for all requests, and no answer that is only the beginning of one."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from anysgi.migration._compare._exchanges import Asked
from anysgi.migration._compare._targets import UrlTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT, SIZED, CHUNKED, CRUMBS, NONE = "/short", "/sized", "/chunked", "/crumbs", "/none"
MANY = 60_000  # chunks of a byte each


class Handler(BaseHTTPRequestHandler):
    """Answers in every framing HTTP/1.1 has, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    connections: list[Any]

    def setup(self) -> None:
        super().setup()
        self.connections.append(self)

    def do_GET(self) -> None:
        self.send_response(204 if self.path == NONE else 200)
        if self.path in (CHUNKED, CRUMBS):
            self.send_header("transfer-encoding", "chunked")
        elif self.path != NONE:
            self.send_header("content-length", "5")
        self.end_headers()
        if self.command == "GET" and self.path != NONE:
            chunks = {CHUNKED: b"5\r\nhello\r\n0\r\n\r\n", CRUMBS: b"1\r\n.\r\n" * MANY + b"0\r\n\r\n", SHORT: b"hel"}
            self.wfile.write(chunks.get(self.path, b"hello"))
        self.close_connection = self.path == SHORT

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def serving() -> Iterator[tuple[UrlTarget, list[Any]]]:
    connections: list[Any] = []
    handler = type("Counting", (Handler,), {"connections": connections})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        target = UrlTarget(f"http://127.0.0.1:{server.server_port}", timeout=10)
        try:
            yield target, connections
        finally:
            target.close()
            server.shutdown()
            thread.join(10)


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", SIZED, 200, b"hello"),
        ("GET", CHUNKED, 200, b"hello"),
        ("GET", NONE, 204, b""),
        ("HEAD", SIZED, 200, b""),
    ],
)
def test_a_server_that_keeps_its_connection_is_asked_again_on_it(
    method: str, path: str, status: int, body: bytes
) -> None:
    with serving() as (target, connections):
        answers = [target.ask(Asked(method, path)) for _ in range(3)]
        assert [(one.status, one.body, one.error) for one in answers] == [(status, body, "")] * 3
        assert len(connections) == 1


def test_an_answer_that_breaks_off_is_no_answer_and_the_next_request_goes_through() -> None:
    with serving() as (target, _connections):
        broken = target.ask(Asked("GET", SHORT))
        assert (broken.status, "3 bytes read, 2 more expected" in broken.error) == (0, True), broken
        assert target.ask(Asked("GET", SIZED)).body == b"hello"


@pytest.mark.timeout(20)
def test_an_answer_in_many_chunks_takes_time_in_proportion_to_them() -> None:
    with serving() as (target, _connections):
        assert target.ask(Asked("GET", CRUMBS)).body == b"." * MANY
