"""A request looks the same in both conventions, and what is changed reaches the app natively."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi.middleware import Flow, Request, Response, middleware

from ._driving import App, Ask, Drive


def test_a_request_is_read_alike(drive: Drive) -> None:
    native = {"scheme": "https", "client": "10.0.0.1", "root_path": "/app"}
    request = drive.request(method="PUT", path="/caf\xe9", query="a=%20", headers={"X-A": "b"}, native=native)
    assert (request.method, request.path, request.root_path, request.query) == ("PUT", "/app/caf\xe9", "/app", "a=%20")
    assert (request.scheme, request.client, request.http_version) == ("https", "10.0.0.1", "1.1")
    assert (request.host, request.length, request.headers.get("x-a")) == ("testserver", None, "b")
    assert not request.is_websocket
    assert "PUT" in repr(request)
    assert drive.request(native={"client": None}).client is None
    assert drive.request(body=b"abc").length == 3
    assert drive.request(headers={"Content-Length": "x"}).length is None


@middleware
def change(request: Request) -> Flow:
    request.method, request.scheme, request.client = "POST", "https", "10.0.0.1"
    request.root_path = "/new"
    request.path = "/new/caf\xe9"
    request.query = "a=1"
    request.http_version = "1.0"
    request.headers.set("x-a", "b")
    request.native["anysgi.key"] = "kept"
    yield request


@pytest.mark.parametrize(
    ("name", "joined"), [("X-Forwarded-For", "6.6.6.6,192.0.2.1"), ("Cookie", "6.6.6.6;192.0.2.1")]
)
def test_a_field_that_is_repeated_reads_as_one(drive: Drive, name: str, joined: str) -> None:
    request = drive.request(headers=[(name, "6.6.6.6"), ("A", "b"), (name, "192.0.2.1")])
    assert request.headers.get(name, "").replace(" ", "") == joined  # servers differ in the blank
    assert (request.headers.get("B"), request.headers.get("B", "c")) == (None, "c")


def test_what_is_changed_reaches_the_app(drive: Drive) -> None:
    app = App(b"ok")
    drive(change(), app)
    found = app.request
    assert found["anysgi.key"] == "kept"
    if drive.convention == "wsgi":
        assert (found["REQUEST_METHOD"], found["wsgi.url_scheme"], found["REMOTE_ADDR"]) == (
            "POST",
            "https",
            "10.0.0.1",
        )
        assert (found["SCRIPT_NAME"], found["PATH_INFO"], found["QUERY_STRING"]) == ("/new", "/caf\xc3\xa9", "a=1")
        assert (found["SERVER_PROTOCOL"], found["HTTP_X_A"]) == ("HTTP/1.0", "b")
    else:
        assert (found["method"], found["scheme"], found["client"]) == ("POST", "https", ("10.0.0.1", 0))
        assert (found["root_path"], found["path"], found["query_string"]) == ("/new", "/new/caf\xe9", b"a=1")
        assert (found["raw_path"], found["http_version"]) == (b"/new/caf%C3%A9", "1.0")
        assert dict(found["headers"])[b"x-a"] == b"b"


def test_a_client_can_be_forgotten(drive: Drive) -> None:
    request = drive.request()
    request.client = None
    assert request.client is None


def test_a_prefix_that_a_proxy_took_off_is_put_back(drive: Drive) -> None:
    request = drive.request(path="/a")
    request.mount("/app")
    assert (request.root_path, request.path, request.raw_path) == ("/app", "/app/a", "/app/a")


def test_the_servers_scope_is_left_as_it_was() -> None:
    scope = Ask().scope()
    before = {**scope, "headers": list(scope["headers"])}
    app = App(b"ok")

    async def send(message: Any) -> None:
        pass

    import asyncio

    asyncio.run(change(app.asgi)(scope, None, send))
    assert scope == before
    assert app.request is not scope


def test_the_native_request_of_the_other_convention_is_not_there(drive: Drive) -> None:
    request = drive.request()
    mine, other = ("environ", "scope") if drive.convention == "wsgi" else ("scope", "environ")
    assert getattr(request, mine) is request.native
    with pytest.raises(AttributeError):
        getattr(request, other)


def test_a_response_says_what_it_is() -> None:
    assert repr(Response(404)) == "<Response 404>"
    assert Response(200, "h\xe9").length == 3
    assert Response(599).start_arguments()[0] == "599 Unknown"
