"""What HTTP asks of a response, and what a hostile client or a wrong app may not get."""

from __future__ import annotations

import time

import pytest

from ._cells import A2W, W2A, Cell, of
from ._process import Server

ALL = (*W2A, *A2W)
PLAIN = {"wsgi", "asgi"}


@of(*ALL)
def test_head_keeps_the_length_and_sends_no_body(server: Server, cell: Cell) -> None:
    target = "/download?size=5242880" if cell.app in {"flask", "fastapi"} else "/hello"
    with server.client() as client:
        client.request("HEAD", target, "Connection: close")
        reply = client.reply(bodiless=True)
        assert reply.status == 200
        assert reply.header("content-length") == ("5" if target == "/hello" else "5242880")
        assert client.rest() == b""


@of(*ALL)
@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_none(server: Server, status: int) -> None:
    with server.client() as client:
        client.request("GET", f"/status/{status}", "Connection: close")
        reply = client.reply()
        assert reply.status == status
        assert status != 204 or reply.header("content-length") is None
        assert status != 304 or reply.header("etag") == '"v1"'
        assert client.rest() == b""


@of(*ALL)
def test_a_redirect_keeps_its_location(server: Server) -> None:
    reply = server.get("/go")
    assert (reply.status, reply.header("location")) == (302, "/hello")


@of(*ALL)
def test_cookies_go_both_ways(server: Server) -> None:
    reply = server.get("/cookies", "Cookie: a=1; b=two")
    assert reply.json() == {"a": "1", "b": "two"}
    assert [cookie.partition(";")[0] for cookie in reply.all("set-cookie")] == ["first=1", 'second="two words"']


@of(*(cell for cell in ALL if cell.way == "w2a"))
def test_two_cookie_headers_are_joined_as_cookies(server: Server) -> None:
    assert server.get("/cookies", "Cookie: a=1", "Cookie: b=two").json() == {"a": "1", "b": "two"}


@of(*ALL)
@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/show/plain", b"/show/plain"),
        ("/show/caf%C3%A9", "/show/café".encode()),
        ("/show/%E4%BD%A0", "/show/你".encode()),
        ("/show/%FF%FEx", b"/show/\xff\xfex"),
        ("/show/a%2Fb", b"/show/a/b"),
        ("/show/a%20b%25", b"/show/a b%"),
        ("/show/folder/", b"/show/folder/"),
    ],
)
def test_a_path_reaches_the_app_byte_by_byte(server: Server, cell: Cell, target: str, path: bytes) -> None:
    reply = server.get(f"{target}?q=%C3%A9&empty=")
    assert reply.status == 200
    assert bytes.fromhex(reply.json()["path"]) == as_seen_by(cell, path)
    assert bytes.fromhex(reply.json()["query"]) == b"q=%C3%A9&empty="


def as_seen_by(cell: Cell, path: bytes) -> bytes:
    """Bytes that are not UTF-8 survive in WSGI's PATH_INFO; an ASGI path is text and Django's is an IRI."""
    if b"\xff" not in path:
        return path
    if cell.app == "django":
        return b"/show/%FF%FEx"
    return path if cell.way == "w2a" else path.decode("utf-8", "replace").encode()


@of(*ALL)
def test_the_path_as_it_was_sent_is_there_too(server: Server) -> None:
    raw = server.get("/show/a%2Fb%FF").json()["raw"]
    assert raw.partition("?")[0] == "/show/a%2Fb%FF"


@of(*ALL)
def test_addresses_are_those_of_the_connection(server: Server) -> None:
    shown = server.get("/show/x").json()
    assert shown["client"] == "127.0.0.1"
    assert shown["port"] == str(server.port)
    assert shown["scheme"] == "http"


@of(*ALL)
def test_an_underscore_cannot_pose_as_a_dash(server: Server) -> None:
    seen = server.get("/headers", "X_Forwarded_User: spoof", "X-Forwarded-User: real", "Content_Length: 7").json()
    assert seen["x-forwarded-user"] == "real"
    assert seen.get("content-length", "") == ""


@of(*(cell for cell in ALL if cell.way == "w2a"))
def test_the_proxy_header_does_not_reach_the_app(server: Server) -> None:
    assert "proxy" not in server.get("/headers", "Proxy: http://evil.example").json()


@of(*ALL)
def test_header_values_are_latin_1(server: Server) -> None:
    assert server.get("/headers", "X-Name: caf\xe9").json()["x-name"] == "caf\xe9"


@of(*ALL)
def test_many_headers_of_one_name_are_joined_in_order(server: Server) -> None:
    seen = server.get("/headers", *(f"X-Many: {number}" for number in range(60))).json()["x-many"]
    assert [int(part) for part in seen.split(",")] == list(range(60))


@of(*ALL)
def test_a_flood_of_headers_is_refused_or_served_but_harms_nobody(server: Server) -> None:
    began = time.monotonic()
    with server.client() as client:
        try:
            client.request("GET", "/hello", *(f"X-Flood-{number % 10}: {'x' * 20}" for number in range(20_000)))
            assert client.reply().status in {200, 400, 413, 431}
        except ConnectionError:
            pass  # cut while still sending: refused as well
    assert time.monotonic() - began < 5
    assert server.get("/hello").status == 200


@of(*ALL)
def test_differing_content_lengths_are_refused(server: Server) -> None:
    with server.client() as client:
        client.request("POST", "/echo", "Content-Length: 5", "Content-Length: 6", "Connection: close")
        client.send(b"abcdef")
        assert client.head().status == 400
    assert server.get("/hello").status == 200


@of(*ALL)
@pytest.mark.parametrize("length", ["abc", "-1", "1,2", "+5", "5 5"])
def test_a_content_length_that_is_no_number_is_refused(server: Server, length: str) -> None:
    with server.client() as client:
        client.request("POST", "/echo", f"Content-Length: {length}", "Connection: close")
        client.send(b"abcdef")
        assert 400 <= client.head().status < 500
    assert server.get("/hello").status == 200


@of(*ALL)
def test_a_line_break_in_a_response_header_is_an_error_not_a_second_header(server: Server) -> None:
    with server.client() as client:
        client.request("GET", "/bad-header", "Connection: close")
        reply = client.reply()
        assert reply.status == 500
        assert reply.header("x-smuggled") is None
        assert b"X-Smuggled" not in client.rest()


@of(*(cell for cell in ALL if cell.server.startswith("uvicorn")))
def test_a_refused_upload_never_hears_100_continue(server: Server) -> None:
    with server.client() as client:
        client.request("POST", "/early", "Content-Length: 1000000", "Expect: 100-continue")
        reply = client.head()
        assert (reply.status, reply.interim) == (401, [])


@of(*ALL)
def test_an_expected_upload_is_asked_for(server: Server) -> None:
    with server.client() as client:
        client.request("POST", "/echo", "Content-Length: 5", "Expect: 100-continue")
        assert client.any_head().status == 100
        client.send(b"hello")
        assert client.reply().body == b"hello"


@of(*ALL)
def test_context_variables_do_not_leak_between_requests(server: Server) -> None:
    assert {server.get("/where").json()["mark"] for _ in range(12)} == {"untouched"}
