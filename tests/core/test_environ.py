"""`environ_from_scope`: what a WSGI app is told about a request that came in as an ASGI scope."""

from __future__ import annotations

import copy
import io
import sys
from typing import Any
from wsgiref.validate import check_environ

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi._core._environ import environ_from_scope
from anysgi.exceptions import BadRequest


def scope(**changes: Any) -> dict[str, Any]:
    """A scope as uvicorn gives it; a change to `...` takes the key out."""
    full = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"example.org")],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8000),
    }
    return {key: value for key, value in {**full, **changes}.items() if value is not ...}


def environ(**changes: Any) -> dict[str, Any]:
    return environ_from_scope(scope(**changes))


def valid(environ: dict[str, Any]) -> dict[str, Any]:
    """The environ as the adapter completes it, once `wsgiref.validate` found nothing wrong with it."""
    environ = {**environ, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}
    check_environ(environ)
    return environ


def test_a_whole_request() -> None:
    given = scope(
        method="POST",
        path="/app/x",
        raw_path=b"/app/x",
        root_path="/app",
        query_string=b"q=1",
        headers=[(b"host", b"h"), (b"content-length", b"3")],
    )
    assert environ_from_scope(given) == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/x",
        "QUERY_STRING": "q=1",
        "REQUEST_URI": "/app/x?q=1",
        "RAW_URI": "/app/x?q=1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "5000",
        "CONTENT_LENGTH": "3",
        "HTTP_HOST": "h",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "asgi.scope": given,
    }


def test_the_least_a_server_may_send() -> None:
    """Optional keys of the ASGI spec are absent, or None."""
    least = {"type": "http", "method": "GET", "path": "/", "headers": []}
    told = valid(environ_from_scope(least))
    assert told["SERVER_NAME"] == "localhost"
    assert told["SERVER_PORT"] == "80"
    assert told["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert told["wsgi.url_scheme"] == "http"
    assert told["QUERY_STRING"] == ""
    assert "REMOTE_ADDR" not in told
    nothing = {
        "query_string": None,
        "root_path": None,
        "raw_path": None,
        "scheme": None,
        "client": None,
        "server": None,
    }
    assert valid(environ_from_scope({**least, **nothing})).keys() == told.keys()


SERVERS = {
    "a socket": (("10.0.0.1", 8000), b"h:1", "http", ("10.0.0.1", "8000")),
    "a list, as JSON-minded servers give": (["10.0.0.1", 8000], b"h:1", "http", ("10.0.0.1", "8000")),
    "a port that is text (granian)": (("10.0.0.1", "8000"), b"h:1", "http", ("10.0.0.1", "8000")),
    "a unix socket: the Host says": (("/tmp/socket", None), b"h:81", "http", ("h", "81")),
    "a unix socket, Host without port": (("/tmp/socket", None), b"h", "https", ("h", "443")),
    "a unix socket and no Host": (("/tmp/socket", None), None, "http", ("/tmp/socket", "80")),
    "unknown: the Host says": (None, b"h:81", "http", ("h", "81")),
    "unknown: the scheme says": (None, b"h", "http", ("h", "80")),
    "unknown: https": (None, b"h", "https", ("h", "443")),
    "unknown, no Host": (None, None, "https", ("localhost", "443")),
    "an IPv6 Host with port": (None, b"[::1]:81", "http", ("[::1]", "81")),
    "an IPv6 Host without port": (None, b"[::1]", "http", ("[::1]", "80")),
    "a Host with an empty port (RFC 3986)": (None, b"h:", "http", ("h", "80")),
    "a Host with a port that is no number": (None, b"h:\xb2", "http", ("h:\xb2", "80")),
    "an empty Host": (None, b"", "http", ("localhost", "80")),
    "not given": (..., b"h", "http", ("h", "80")),
}


@pytest.mark.parametrize(("server", "host", "scheme", "expected"), SERVERS.values(), ids=SERVERS)
def test_the_server_has_a_name_and_a_port_that_are_never_empty(
    server: Any, host: bytes | None, scheme: str, expected: tuple[str, str]
) -> None:
    headers = [] if host is None else [(b"host", host)]
    told = valid(environ(server=server, headers=headers, scheme=scheme))
    assert (told["SERVER_NAME"], told["SERVER_PORT"]) == expected


CLIENTS = {
    "a socket": (("10.0.0.1", 5000), {"REMOTE_ADDR": "10.0.0.1", "REMOTE_PORT": "5000"}),
    "a list": (["10.0.0.1", 5000], {"REMOTE_ADDR": "10.0.0.1", "REMOTE_PORT": "5000"}),
    "a port that is text": (("10.0.0.1", "5000"), {"REMOTE_ADDR": "10.0.0.1", "REMOTE_PORT": "5000"}),
    "no port": (("10.0.0.1", None), {"REMOTE_ADDR": "10.0.0.1", "REMOTE_PORT": "0"}),
    "unknown": (None, {}),
    "not given": (..., {}),
}


@pytest.mark.parametrize(("client", "expected"), CLIENTS.values(), ids=CLIENTS)
def test_the_client_has_an_address_and_a_port_if_it_is_known(client: Any, expected: dict[str, str]) -> None:
    told = valid(environ(client=client))
    assert {key: told[key] for key in ("REMOTE_ADDR", "REMOTE_PORT") if key in told} == expected


@pytest.mark.parametrize(
    ("version", "protocol"), [("1.0", "HTTP/1.0"), ("1.1", "HTTP/1.1"), ("2", "HTTP/2"), ("3", "HTTP/3")]
)
def test_the_protocol_is_named(version: str, protocol: str) -> None:
    assert environ(http_version=version)["SERVER_PROTOCOL"] == protocol


def test_query_bytes_pass_as_latin_1() -> None:
    told = environ(query_string=b"q=caf\xc3\xa9")
    assert told["QUERY_STRING"] == "q=caf\xc3\xa9"
    assert told["REQUEST_URI"] == "/?q=caf\xc3\xa9"


def test_the_environment_of_the_process_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPT_NAME", "/env")
    assert environ(root_path="/app", path="/app/x", raw_path=b"/app/x")["SCRIPT_NAME"] == "/app"


def test_errors_go_to_stderr_as_it_is_at_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert environ()["wsgi.errors"] is sys.stderr


@pytest.mark.parametrize("target", ["admin", "?x", "http://example.org/admin", "@evil", "\\admin", "*"])
def test_a_target_that_is_no_path_is_refused(target: str) -> None:
    with pytest.raises(BadRequest, match="is no path"):
        environ(path=target, raw_path=target.encode())


@pytest.mark.parametrize(("target", "root_path"), [("*", ""), ("", ""), ("/api", "/api"), ("//admin", "")])
def test_a_target_may_be_empty_or_that_of_options_a_star(target: str, root_path: str) -> None:
    given = environ(method="OPTIONS", path=target, raw_path=target.encode(), root_path=root_path)
    assert given["PATH_INFO"] in (target, "")


@pytest.mark.parametrize("method", ["GET /admin", "G\tT", "", "GET:", "G\u00c9T", "GET\r\nX"])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    with pytest.raises(BadRequest, match="is no token"):
        environ(method=method)


@pytest.mark.parametrize("method", ["PROPFIND", "M-SEARCH", "get", "X_Y", "QUERY"])
def test_any_token_is_a_method(method: str) -> None:
    assert environ(method=method)["REQUEST_METHOD"] == method


def test_options_reach_the_environ() -> None:
    given = scope(headers=[(b"x_a", b"1")])
    assert environ_from_scope(given, multiprocess=False)["wsgi.multiprocess"] is False
    assert environ_from_scope(given, underscores="keep")["HTTP_X_A"] == "1"
    with pytest.raises(BadRequest):
        environ_from_scope(given, underscores="refuse")


tokens = st.text("abcdefghijklmnopqrstuvwxyzABC-_!#", min_size=1, max_size=8).map(str.encode)
values = st.binary(max_size=12)
scopes = st.fixed_dictionaries(
    {
        "type": st.just("http"),
        "method": st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
        "path": st.text(max_size=12).map("/".__add__),
        "headers": st.lists(st.tuples(tokens, values), max_size=6),
    },
    optional={
        "http_version": st.sampled_from(["1.0", "1.1", "2"]),
        "scheme": st.sampled_from(["http", "https"]),
        "raw_path": st.none() | st.binary(max_size=12).map(b"/".__add__),
        "query_string": st.binary(max_size=12),
        "root_path": st.text(max_size=6).map("/".__add__),
        "client": st.none() | st.tuples(st.text(max_size=8), st.none() | st.integers(0, 65_535)),
        "server": st.none() | st.tuples(st.text(max_size=8), st.none() | st.integers(0, 65_535)),
        "extensions": st.just({}),
    },
)


@given(scopes)
def test_every_environ_is_valid_and_no_scope_is_changed(given: dict[str, Any]) -> None:
    before = copy.deepcopy(given)
    told = valid(environ_from_scope(given))
    assert given == before
    assert told["asgi.scope"] is given
    native = [value for key, value in told.items() if "." not in key]
    assert all(type(value) is str for value in native)
    assert all(ord(c) < 256 for key, value in told.items() if key.startswith("HTTP_") for c in value)
