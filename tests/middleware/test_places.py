"""What a layer can see in each place it is put: the table of `docs/how-to/install-middleware.md`, as it turns out."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import django.test.utils
import fastapi
import flask
import litestar
import litestar.response
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from starlette.responses import StreamingResponse

from anysgi.middleware import Flow, Outcome, Request, Response, Stack, middleware
from anysgi.testing import Disconnect, Scenario, run

from ._django import set_up_django
from ._driving import Ask, Drive

PAGE = Path(__file__).parents[2] / "docs/how-to/install-middleware.md"


class Seen:
    """What a layer saw of one exchange."""

    def __init__(self) -> None:
        self.error: str | None = None
        self.status = 0
        self.outcome: Outcome | None = None
        self.pieces: list[bytes] = []
        self.cookies: list[str] = []

    def layer(self) -> Stack:
        @middleware
        def look(request: Request) -> Flow:
            request.body.observe(self.pieces.append)
            try:
                response: Response = yield request
            except LookupError as error:
                self.error = str(error)
                raise
            self.status = response.status
            self.cookies = response.headers.getlist("x-twice")
            self.outcome = yield response

        return look()


def pieces() -> Iterator[bytes]:
    yield b"a"
    yield b"b"


async def apieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


def flask_app() -> Any:
    app = flask.Flask(__name__)

    @app.get("/boom")
    def boom() -> None:
        raise LookupError("oh")

    @app.get("/stream")
    def stream() -> flask.Response:
        return flask.Response(pieces())

    @app.get("/twice")
    def twice() -> flask.Response:
        return flask.Response(b"x", headers=[("X-Twice", "1"), ("X-Twice", "2")])

    @app.post("/echo")
    def echo() -> bytes:
        return flask.request.get_data()

    return app


def fastapi_app() -> Any:
    app = fastapi.FastAPI()

    @app.get("/boom")
    async def boom() -> None:
        raise LookupError("oh")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(apieces())

    @app.get("/twice")
    async def twice() -> fastapi.Response:
        response = fastapi.Response(b"x")
        response.raw_headers += [(b"x-twice", b"1"), (b"x-twice", b"2")]
        return response

    @app.post("/echo")
    async def echo(request: fastapi.Request) -> fastapi.Response:
        return fastapi.Response(await request.body())

    return app


def litestar_app(stack: Stack) -> Any:
    @litestar.get("/boom")
    async def boom() -> str:
        raise LookupError("oh")

    @litestar.get("/stream")
    async def stream() -> litestar.response.Stream:
        return litestar.response.Stream(apieces())

    @litestar.get("/twice")
    async def twice() -> litestar.Response[bytes]:
        response = litestar.Response(b"x", media_type="text/plain")
        response.headers["x-twice"] = "1"
        response.set_cookie("a", "1")
        return response

    @litestar.post("/echo")
    async def echo(request: litestar.Request[Any, Any, Any]) -> bytes:
        return await request.body()

    return litestar.Litestar([boom, stream, twice, echo], middleware=[stack], openapi_config=None)


def boom(request: Any) -> HttpResponse:
    raise LookupError("oh")


def stream(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(apieces() if hasattr(request, "scope") else pieces())


def hang(request: Any) -> StreamingHttpResponse:
    """A stream that its client leaves."""

    async def endless() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    return StreamingHttpResponse(endless() if hasattr(request, "scope") else pieces())


def echo(request: Any) -> HttpResponse:
    return HttpResponse(request.body)


urlpatterns = [path(view.__name__, view) for view in (boom, stream, hang, echo)]


def around_flask(seen: Seen) -> Any:
    app = flask_app()
    app.wsgi_app = seen.layer()(app.wsgi_app)
    return app


def inside_fastapi(seen: Seen) -> Any:
    app = fastapi_app()
    app.add_middleware(seen.layer())
    return app


def inside_django(make: type) -> Callable[[Seen], Any]:
    def made(seen: Seen) -> Any:
        sys.modules["tests_places_http"] = module = ModuleType("tests_places_http")
        vars(module).update(stack=seen.layer())
        options = {"MIDDLEWARE": ["anysgi.django.stack"], "ANYSGI": {"STACK": "tests_places_http.stack"}}
        with django.test.utils.override_settings(**options):
            return make()

    return made


PLACES: dict[str, tuple[Any, Callable[[Seen], Any]]] = {
    "around Flask": ("wsgi", around_flask),
    "around FastAPI": ("asgi", lambda seen: seen.layer()(fastapi_app())),
    "around Django, WSGI": ("wsgi", lambda seen: seen.layer()(WSGIHandler())),
    "around Django, ASGI": ("asgi", lambda seen: seen.layer()(ASGIHandler())),
    "Starlette `add_middleware`": ("asgi", inside_fastapi),
    "Litestar `middleware=`": ("asgi", lambda seen: litestar_app(seen.layer())),
    "Django `MIDDLEWARE`, WSGI": ("wsgi", inside_django(WSGIHandler)),
    "Django `MIDDLEWARE`, ASGI": ("asgi", inside_django(ASGIHandler)),
}
RAISES = {"Starlette `add_middleware`"}
NO_404 = {"Litestar `middleware=`"}


@pytest.fixture(scope="module", autouse=True)
def _django() -> Iterator[None]:
    set_up_django()
    with django.test.utils.override_settings(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, DEBUG=False, DEBUG_PROPAGATE_EXCEPTIONS=False, MIDDLEWARE=[]
    ):
        yield


def seen_at(place: str, target: str, leaves_after: int | None = None, **ask: Any) -> Seen:
    seen = Seen()
    convention, make = PLACES[place]
    Drive(convention).serve(make(seen), Ask(path=target, **ask), leaves_after)
    return seen


def left_at(place: str) -> Seen:
    """What is seen of a client that leaves a stream after its first piece; Django's async side listens for that."""
    convention, make = PLACES[place]
    if convention == "wsgi" or "Django" not in place:
        return seen_at(place, "/stream", leaves_after=1)
    seen = Seen()
    run(make(seen), Scenario(target="/hang", peer=[Disconnect(after_messages=2)]), convention=convention)
    return seen


@pytest.mark.parametrize("place", PLACES)
def test_exceptions(place: str) -> None:
    seen = seen_at(place, "/boom")
    assert (seen.error == "oh") is (place in RAISES)
    assert (seen.status == 500) is (place not in RAISES)


@pytest.mark.parametrize("place", PLACES)
def test_missing_pages(place: str) -> None:
    assert (seen_at(place, "/nowhere").status == 404) is (place not in NO_404)


@pytest.mark.parametrize("place", PLACES)
def test_the_end_of_a_stream_and_a_client_that_leaves_it(place: str) -> None:
    whole, cut = seen_at(place, "/stream").outcome, left_at(place).outcome
    assert whole is not None
    assert cut is not None
    assert (whole.kind, whole.bytes_sent) == ("complete", 2)
    assert cut.kind == "aborted"


@pytest.mark.parametrize("place", [place for place in PLACES if "Django" not in place and "Litestar" not in place])
def test_raw_headers(place: str) -> None:
    assert seen_at(place, "/twice").cookies == ["1", "2"]


@pytest.mark.parametrize("place", PLACES)
def test_the_body_of_a_request(place: str) -> None:
    assert b"".join(seen_at(place, "/echo", method="POST", body=b"hello").pieces) == b"hello"


def test_the_table_names_every_place() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## What each place can see")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!\||---)([^|]+?) \|", table, re.MULTILINE)
    assert {re.sub(r", (WSGI|ASGI)$", "", place) for place in PLACES if "around" not in place} <= set(rows)
    assert "around the whole app" in rows
