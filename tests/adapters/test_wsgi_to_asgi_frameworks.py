"""WsgiToAsgi around real frameworks: bodies of unknown length, Starlette's client, Flask's own `__call__`."""

from __future__ import annotations

from typing import Any

import django
import flask
import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path
from starlette.testclient import TestClient

from anysgi import WsgiToAsgi
from anysgi.testing import Disconnect, Scenario

from ._driving import serve

CHUNKED = [(b"transfer-encoding", b"chunked"), (b"content-type", b"application/octet-stream")]


def chunked(*body: bytes, **more: Any) -> Scenario:
    """An upload whose length is not told."""
    return Scenario("POST", "/size", CHUNKED, body, **more)


def flask_app() -> flask.Flask:
    app = flask.Flask("shop")

    @app.post("/size")
    def size() -> str:
        return str(len(flask.request.get_data()))

    @app.get("/stream")
    def stream() -> flask.Response:
        return flask.Response(str(number) for number in range(5))

    return app


def echo_length(request: Any) -> HttpResponse:
    return HttpResponse(f"{len(request.body)} of {request.META.get('CONTENT_LENGTH')}")


urlpatterns = [path("size", echo_length)]


@pytest.fixture(scope="module")
def django_app() -> WSGIHandler:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", LOGGING_CONFIG=None)
    django.setup()
    return WSGIHandler()


@pytest.mark.anyio
async def test_flask_reads_a_chunked_upload_as_it_arrives() -> None:
    peer = await serve(WsgiToAsgi(flask_app()), chunked(b"12345", b"67890"))
    assert peer.body == b"10"


@pytest.mark.anyio
@pytest.mark.parametrize("version", ["1.1", "2"])
async def test_django_gets_a_content_length_for_a_body_that_came_without(django_app: Any, version: str) -> None:
    headers = CHUNKED if version == "1.1" else CHUNKED[1:]
    script = chunked(bytes(200_000), bytes(200_000))
    peer = await serve(WsgiToAsgi(django_app), script, headers=headers, http_version=version)
    assert peer.body == b"400000 of 400000"


@pytest.mark.anyio
async def test_django_is_not_spooled_where_the_length_is_known_or_no_body_can_come(django_app: Any) -> None:
    peer = await serve(WsgiToAsgi(django_app), Scenario("POST", "/size", CHUNKED[1:], b"12345"))
    assert peer.body == b"5 of 5"
    bare = await serve(WsgiToAsgi(django_app), None, "GET", "/size")
    assert bare.body == b"0 of None"
    assert bare.received == 0


@pytest.mark.anyio
async def test_spooling_is_an_option_and_streaming_too(django_app: Any) -> None:
    streamed = await serve(WsgiToAsgi(django_app, chunked="stream"), chunked(b"12"))
    assert streamed.body == b"0 of None"  # the trap: Django believes CONTENT_LENGTH alone

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["CONTENT_LENGTH"].encode() + environ["wsgi.input"].read()]

    spooled = await serve(WsgiToAsgi(app, chunked="spool"), chunked(b"ab", b"c"))
    assert spooled.body == b"3abc"


@pytest.mark.anyio
async def test_a_client_that_leaves_while_its_body_is_spooled_never_reaches_the_app(django_app: Any) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("called")

    left = chunked(b"half", b"more", peer=[Disconnect(after_chunks=1)])
    peer = await serve(WsgiToAsgi(app, chunked="spool"), left)
    assert peer.sent == []


def test_starlettes_test_client_drives_it() -> None:
    with TestClient(WsgiToAsgi(flask_app())) as client:
        assert client.get("/stream").text == "01234"
        assert client.post("/size", content=b"x" * 100_000).text == "100000"
        assert client.get("/missing").status_code == 404


@pytest.mark.anyio
async def test_the_app_itself_is_called_so_what_patches_its_call_is_not_bypassed() -> None:
    calls: list[str] = []

    class Traced(flask.Flask):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            calls.append(environ["PATH_INFO"])
            return super().__call__(environ, start_response)

    await serve(WsgiToAsgi(Traced("traced")), path="/missing")
    assert calls == ["/missing"]
