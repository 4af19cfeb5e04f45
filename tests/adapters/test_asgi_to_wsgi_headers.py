"""AsgiToWsgi, the scope an app gets and the head a server gets: every byte, every habit of WSGI servers."""

from __future__ import annotations

from typing import Any
from wsgiref.validate import validator

import pytest

from anysgi import AsgiToWsgi

from ._calling import asgi_app, body, fetch, head


def scope_of(**environ: Any) -> dict[str, Any]:
    app = asgi_app(head(), body(b"x"))
    peer = fetch(AsgiToWsgi(app, lifespan="off"), **environ)
    assert peer.status == "200 OK", peer.errors
    return app.scope  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize(
    "wrong",
    [{"PATH_INFO": "admin"}, {"PATH_INFO": "443", "REQUEST_METHOD": "CONNECT"}, {"REQUEST_METHOD": "GET /x"}],
    ids=["no path", "an authority, as gunicorn takes it apart", "no method"],
)
def test_a_request_line_that_means_something_else_to_a_guard_is_refused(wrong: dict[str, str]) -> None:
    app = asgi_app(head(), body(b"x"))
    assert fetch(AsgiToWsgi(app, lifespan="off"), **wrong).status == "400 Bad Request"


def test_a_refusal_writes_no_escapes_of_a_method_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    fetch(AsgiToWsgi(asgi_app(head(), body(b"x")), lifespan="off"), REQUEST_METHOD="G\x1b[31m")
    assert r"'G\x1b[31m' '/' answered 400" in caplog.text
    assert "\x1b" not in caplog.text


def response_headers(*headers: tuple[bytes, bytes]) -> list[tuple[str, str]]:
    return fetch(AsgiToWsgi(asgi_app(head(200, *headers), body()), lifespan="off")).headers


def test_hop_by_hop_headers_are_dropped_as_wsgi_servers_fail_on_them() -> None:
    hops = [(b"connection", b"close"), (b"Keep-Alive", b"1"), (b"transfer-encoding", b"chunked")]
    assert response_headers(*hops, (b"x-end", b"1")) == [("x-end", "1")]


def test_every_byte_of_a_header_passes_both_ways() -> None:
    value = bytes(byte for byte in range(0x21, 256))
    assert response_headers((b"x", value)) == [("x", value.decode("latin-1"))]
    assert dict(scope_of(HTTP_X=value.decode("latin-1"))["headers"])[b"x"] == value


def test_a_cookie_header_stays_one() -> None:
    assert [v for n, v in scope_of(HTTP_COOKIE="a=1; b=2")["headers"] if n == b"cookie"] == [b"a=1; b=2"]


def test_empty_cgi_values_are_absent_and_forged_ones_too() -> None:
    scope = scope_of(CONTENT_LENGTH="", CONTENT_TYPE="", HTTP_CONTENT_LENGTH="9", HTTP_PROXY="http://evil")
    assert {name for name, _ in scope["headers"]} == {b"host"}


@pytest.mark.parametrize(
    ("environ", "path", "root_path", "raw_path"),
    [
        ({"PATH_INFO": "/\xff"}, "/\ufffd", "", b"/%FF"),
        ({"PATH_INFO": "/caf\xc3\xa9"}, "/caf\xe9", "", b"/caf%C3%A9"),
        ({"PATH_INFO": "/a/b", "REQUEST_URI": "/a%2Fb?q"}, "/a/b", "", b"/a%2Fb"),
        ({"PATH_INFO": "/a/b", "RAW_URI": "http://h/a%2Fb"}, "/a/b", "", b"/a%2Fb"),
        ({"PATH_INFO": "/a", "REQUEST_URI": "/elsewhere"}, "/a", "", b"/a"),  # a middleware rewrote the path
        ({"SCRIPT_NAME": "/app", "PATH_INFO": "/x"}, "/app/x", "/app", b"/app/x"),
        ({"SCRIPT_NAME": "/app", "PATH_INFO": ""}, "/app", "/app", b"/app"),
    ],
)
def test_paths_keep_every_byte_and_never_fail(environ: Any, path: str, root_path: str, raw_path: bytes) -> None:
    scope = scope_of(**environ)
    assert (scope["path"], scope["root_path"], scope["raw_path"]) == (path, root_path, raw_path)


@pytest.mark.parametrize(
    ("environ", "key", "value"),
    [
        ({"REMOTE_ADDR": "1.2.3.4", "REMOTE_PORT": "99"}, "client", ("1.2.3.4", 99)),
        ({"REMOTE_ADDR": "1.2.3.4"}, "client", ("1.2.3.4", 0)),
        ({"REMOTE_ADDR": ""}, "client", None),
        ({"SERVER_PORT": ""}, "server", ("testserver", None)),
        ({"SERVER_PORT": "none"}, "server", ("testserver", None)),
        ({"SERVER_NAME": ""}, "server", None),
        ({"SERVER_PROTOCOL": "HTTP/2.0"}, "http_version", "2"),
        ({"SERVER_PROTOCOL": "HTTP/2"}, "http_version", "2"),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, "http_version", "1.0"),
        ({"SERVER_PROTOCOL": ""}, "http_version", "1.1"),
        ({"wsgi_url_scheme": "https"}, "scheme", "https"),
    ],
    ids=repr,
)
def test_what_servers_leave_out_or_empty_is_tolerated(environ: Any, key: str, value: Any) -> None:
    assert scope_of(**environ)[key] == value


def test_the_environ_is_at_hand_and_left_as_it_was() -> None:
    app = asgi_app(head(), body(b"x"))
    peer = fetch(AsgiToWsgi(app, lifespan="off"), HTTP_A="b")
    assert app.scope["wsgi.environ"] is peer.environ  # type: ignore[attr-defined]
    assert peer.environ["HTTP_A"] == "b"
    assert not [key for key in peer.environ if key.startswith("asgi")]


def test_nothing_is_advertised_that_is_not_done() -> None:
    scope = scope_of()
    assert scope["extensions"] == {}
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.4"}  # 2.4: send() raises once the client left


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("pieces", [1, 3])
def test_the_validator_of_the_standard_library_finds_nothing(method: str, pieces: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(head(200, (b"content-type", b"text/plain")))
        for at in range(pieces):
            await send(body(b"x", more=at < pieces - 1))

    checked = validator(AsgiToWsgi(app, lifespan="off"))
    environ = {"QUERY_STRING": "", "wsgi_input": ValidInput(b"12"), "wsgi_errors": ValidErrors(), "CONTENT_LENGTH": "2"}
    peer = fetch(checked, method, "/", **environ)
    assert peer.body == (b"" if method == "HEAD" else b"x" * pieces)


class ValidErrors:
    def write(self, text: str) -> None: ...

    def writelines(self, lines: list[str]) -> None: ...

    def flush(self) -> None: ...


class ValidInput:
    """What the validator insists on."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int) -> bytes:
        piece, self.data = self.data[:size], self.data[size:]
        return piece

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return [self.read(hint)]

    def __iter__(self) -> Any:
        return iter([self.data])
