"""Bodies, both ways: nothing lost, nothing doubled, nothing held back, at every size and framing."""

from __future__ import annotations

import pytest

from ._cells import A2W, W2A, of
from ._process import Server
from .apps._parts import blocks, digest

ALL = (*W2A, *A2W)
SIZES = [0, 1, 65_537, 5 << 20]


@of(*ALL)
@pytest.mark.parametrize("size", SIZES)
def test_an_upload_arrives_whole(server: Server, size: int) -> None:
    with server.client() as client:
        reply = client.post("/upload", b"".join(blocks(size)))
    assert reply.status == 200
    assert reply.json() == {"count": size, "sha256": digest(blocks(size))}


@of(*ALL)
@pytest.mark.parametrize("size", SIZES)
def test_a_chunked_upload_arrives_whole(server: Server, size: int) -> None:
    with server.client() as client:
        reply = client.post_chunked("/upload", blocks(size))
    assert reply.json() == {"count": size, "sha256": digest(blocks(size))}


@of(*ALL)
@pytest.mark.parametrize("size", SIZES)
def test_a_body_comes_back_as_it_was_sent(server: Server, size: int) -> None:
    body = b"".join(blocks(size))
    with server.client() as client:
        reply = client.post("/echo", body)
    assert reply.complete
    assert reply.body == body


@of(*ALL)
@pytest.mark.parametrize("framing", ["", "&chunked=1"], ids=["sized", "chunked"])
@pytest.mark.parametrize("size", SIZES)
def test_a_download_arrives_whole(server: Server, size: int, framing: str) -> None:
    with server.client() as client:
        client.request("GET", f"/download?size={size}{framing}")
        reply = client.head()
        # Without a length of the app's own, a server may know it all the same: the body was one piece.
        assert reply.header("content-length") in ({None, str(size)} if framing else {str(size)})
        assert client.digest(reply) == (digest(blocks(size)), size)


@of(*ALL)
@pytest.mark.parametrize("size", [0, 1, 5 << 20])
def test_a_file_arrives_whole(server: Server, size: int) -> None:
    with server.client() as client:
        client.request("GET", f"/file?size={size}")
        reply = client.head()
        assert reply.header("content-length") == str(size)
        assert client.digest(reply) == (digest(blocks(size)), size)


@of(*ALL)
def test_two_requests_share_a_connection_or_it_is_closed_in_good_order(server: Server) -> None:
    with server.client() as client:
        first = client.post("/echo", b"first")
        assert first.body == b"first"
        if first.header("connection") != "close":
            assert client.post("/echo", b"second").body == b"second"


@of(*ALL)
def test_a_client_that_sends_one_byte_at_a_time_is_served(server: Server) -> None:
    with server.client() as client:
        for byte in b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde":
            client.send(bytes([byte]))
        assert client.reply().body == b"abcde"


@of(*ALL)
def test_http_1_0_gets_an_answer_that_ends(server: Server) -> None:
    with server.client() as client:
        client.request("GET", "/hello", version="1.0")
        reply = client.reply()
        assert (reply.status, reply.body) == (200, b"hello")
        assert reply.header("transfer-encoding") is None
        assert client.rest() == b""


@of(*(cell for cell in W2A if cell.app == "flask"))
def test_a_client_that_sends_all_before_it_reads_is_not_held_by_an_early_answer(server: Server) -> None:
    with server.client() as client:
        client.request("POST", "/early", "Transfer-Encoding: chunked")
        try:
            for _ in range(256):
                client.send(b"10000\r\n" + bytes(65_536) + b"\r\n")
        except ConnectionError:
            pass  # hypercorn ends the connection; uvicorn takes it all


@of(*ALL)
def test_an_early_answer_does_not_wait_for_the_upload(server: Server, cell: object) -> None:
    with server.client() as client:
        client.request("POST", "/early", "Content-Length: 10000000")
        if cell.buffers_uploads:  # type: ignore[attr-defined]
            client.send(bytes(10_000_000))  # waitress calls no app before it has the body
        assert client.head().status == 401
    assert server.get("/hello").status == 200
