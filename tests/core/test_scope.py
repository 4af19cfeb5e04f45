"""`scope_from_environ`: what an ASGI app is told about a request that came in as a WSGI environ."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi._core._scope import content_length, scope_from_environ
from anysgi.exceptions import BadRequest


def environ(**changes: Any) -> dict[str, Any]:
    """An environ as a WSGI server gives it; a change to `...` takes the key out."""
    full = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "5000",
        "wsgi.url_scheme": "http",
    }
    return {key: value for key, value in {**full, **changes}.items() if value is not ...}


def test_a_whole_request() -> None:
    given = environ(
        REQUEST_METHOD="post",
        SCRIPT_NAME="/app",
        PATH_INFO="/a/b",
        REQUEST_URI="/app/a%2Fb?q=1",
        QUERY_STRING="q=1",
        HTTP_HOST="h",
        CONTENT_LENGTH="3",
    )
    before = dict(given)
    assert scope_from_environ(given) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/app/a/b",
        "raw_path": b"/app/a%2Fb",
        "query_string": b"q=1",
        "root_path": "/app",
        "headers": [(b"host", b"h"), (b"content-length", b"3")],
        "client": ("127.0.0.1", 5000),
        "server": ("localhost", 8000),
        "extensions": {},
        "wsgi.environ": given,
    }
    assert given == before


def test_the_least_a_server_may_send() -> None:
    told = scope_from_environ({"REQUEST_METHOD": "GET"})
    assert told["http_version"] == "1.1"
    assert told["scheme"] == "http"
    assert (told["path"], told["raw_path"], told["root_path"], told["query_string"]) == ("", b"", "", b"")
    assert told["headers"] == []
    assert told["client"] is None
    assert told["server"] is None


def test_no_two_scopes_share_anything_that_can_be_changed() -> None:
    first, second = scope_from_environ(environ()), scope_from_environ(environ())
    for key in ("asgi", "headers", "extensions"):
        assert first[key] == second[key]
        assert first[key] is not second[key]


VERSIONS = {
    "HTTP/1.0": "1.0",
    "HTTP/1.1": "1.1",
    "HTTP/2": "2",
    "HTTP/2.0": "2",
    "HTTP/3": "3",
    "HTTP/3.0": "3",
    "HTTP/1.2": "1.2",
    "": "1.1",
}


@pytest.mark.parametrize(("protocol", "version"), VERSIONS.items())
def test_the_http_version_is_one_of_the_spec(protocol: str, version: str) -> None:
    assert scope_from_environ(environ(SERVER_PROTOCOL=protocol))["http_version"] == version


CLIENTS = {
    "address and port": ("10.0.0.1", "5000", ("10.0.0.1", 5000)),
    "no port (uWSGI)": ("10.0.0.1", ..., ("10.0.0.1", 0)),
    "empty port": ("10.0.0.1", "", ("10.0.0.1", 0)),
    "a port that is a number already": ("10.0.0.1", 5000, ("10.0.0.1", 5000)),
    "a port that is no number": ("10.0.0.1", "\xb2", ("10.0.0.1", 0)),
    "a unix socket": ("", "", None),
    "unknown": (..., ..., None),
}


@pytest.mark.parametrize(("address", "port", "client"), CLIENTS.values(), ids=CLIENTS)
def test_the_client_is_known_even_without_its_port(address: Any, port: Any, client: Any) -> None:
    assert scope_from_environ(environ(REMOTE_ADDR=address, REMOTE_PORT=port))["client"] == client


SERVERS = {
    "name and port": ("h", "80", ("h", 80)),
    "an IPv6 address": ("[::1]", "80", ("::1", 80)),
    "one without brackets": ("::1", "80", ("::1", 80)),
    "empty port": ("h", "", ("h", None)),
    "no port": ("h", ..., ("h", None)),
    "a port that is no number": ("h", "http", ("h", None)),
    "a port that is too large": ("h", "123456", ("h", None)),
    "unknown": (..., ..., None),
    "empty name": ("", "80", None),
}


@pytest.mark.parametrize(("name", "port", "server"), SERVERS.values(), ids=SERVERS)
def test_the_server_is_a_name_and_a_number(name: Any, port: Any, server: Any) -> None:
    assert scope_from_environ(environ(SERVER_NAME=name, SERVER_PORT=port))["server"] == server


QUERIES = {"q=caf\xc3\xa9": b"q=caf\xc3\xa9", "q=\u4e2d": b"q=\xe4\xb8\xad", "q=\udcff": b"q=\xff", "": b""}


@pytest.mark.parametrize(("text", "query"), QUERIES.items(), ids=map(ascii, QUERIES))
def test_no_query_string_is_too_odd(text: str, query: bytes) -> None:
    assert scope_from_environ(environ(QUERY_STRING=text))["query_string"] == query


LENGTHS = {
    "absent": ({}, None),
    "empty counts as absent (RFC 3875)": ({"CONTENT_LENGTH": ""}, None),
    "None counts as absent": ({"CONTENT_LENGTH": None}, None),
    "a number": ({"CONTENT_LENGTH": "5"}, 5),
    "zero": ({"CONTENT_LENGTH": "0"}, 0),
    "a number that is an int already": ({"CONTENT_LENGTH": 5}, 5),
    "19 digits": ({"CONTENT_LENGTH": "9" * 19}, int("9" * 19)),
}


@pytest.mark.parametrize(("given", "length"), LENGTHS.values(), ids=LENGTHS)
def test_content_length_is_read(given: dict[str, Any], length: int | None) -> None:
    assert content_length(given) == length


@pytest.mark.parametrize("text", ["abc", "-1", "+5", "5,5", "5, 6", " 5", "1_0", "\xb2", "9" * 20, "9" * 5000])
def test_a_content_length_that_is_no_number_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest, match="Content-Length is not one number") as caught:
        content_length({"CONTENT_LENGTH": text})
    assert caught.value.status == 400
    assert len(str(caught.value)) < 200
