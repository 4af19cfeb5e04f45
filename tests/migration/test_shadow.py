"""What a comparison is shown, and that it can harm nobody."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from anysgi.migration import Route, Router, RouteTable, ShadowRequest
from anysgi.testing import Disconnect, Scenario, run

from ..adapters._calling import make_environ
from ._apps import NewAsgi, NewWsgi, ask, legacy

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTES = (Route("/seen/<path:p>", shadow="compare"), Route("/<path:p>", "new", shadow="compare"), Route("/unseen"))


class Watcher:
    """A shadow, and its only observer; `fails` names the method that raises."""

    def __init__(self, fails: str = "") -> None:
        self.requests: list[ShadowRequest] = []
        self.told: list[Any] = []
        self.fails = fails

    def begin(self, request: ShadowRequest) -> Watcher | None:
        self._note("begin")
        self.requests.append(request)
        return None if request.scope["path"] == "/seen/not" else self

    def latest(self) -> list[Any]:
        return []

    def request_body(self, chunk: bytes) -> None:
        self._note("request", chunk)

    def response_head(self, status: int, headers: Any) -> None:
        self._note("head", status, dict(headers).get(b"x-side"))

    def response_body(self, chunk: bytes) -> None:
        self._note("body", chunk)

    def end(self, error: BaseException | None) -> None:
        self._note("end", error and str(error))

    def _note(self, what: str, *values: Any) -> None:
        self.told.append((what, *values))
        if what == self.fails:
            raise RuntimeError("the shadow's own mistake")


@pytest.fixture(params=["wsgi", "asgi"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def router(watcher: Watcher) -> Iterator[Router]:
    router = Router(legacy, NewAsgi(), table=RouteTable(ROUTES), switches=(), shadow=watcher)
    yield router
    router.close()


def test_an_exchange_is_shown_from_end_to_end(router: Router, watcher: Watcher, server: str) -> None:
    answer = ask(router, server, "/seen/a", "POST", b"hello")
    assert answer.body == b"legacy POST /seen/a hello"
    assert watcher.told == [
        ("begin",),
        ("request", b"hello"),
        ("head", 200, b"legacy"),
        ("body", b"legacy POST /seen/a hello"),
        ("end", None),
    ]
    (request,) = watcher.requests
    assert (request.side, request.convention, request.route) == ("legacy", server, ROUTES[0])
    assert (request.scope["method"], request.scope["path"], set(request.apps)) == ("POST", "/seen/a", {"legacy", "new"})


def test_what_the_client_gets_is_shown_after_a_fall_through_too(router: Router, watcher: Watcher, server: str) -> None:
    assert ask(router, server, "/missing").side == "legacy"
    assert [item for item in watcher.told if item[0] == "head"] == [("head", 200, b"legacy")]
    assert watcher.told[-1] == ("end", None)


def test_the_error_of_an_exchange_is_shown(router: Router, watcher: Watcher, server: str) -> None:
    assert ask(router, server, "/crash-late").error is not None
    assert watcher.told[-1] == ("end", "/crash-late")
    assert watcher.told.count(("end", "/crash-late")) == 1


def test_only_routes_that_ask_for_it_are_shown(router: Router, watcher: Watcher, server: str) -> None:
    assert ask(router, server, "/unseen").side == "legacy"
    assert watcher.requests == []
    ask(router, server, "/seen/not")
    assert watcher.told == [("begin",)]


@pytest.mark.parametrize("method", ["begin", "request", "head", "body", "end"])
def test_a_shadow_that_fails_harms_nobody(router: Router, watcher: Watcher, server: str, method: str) -> None:
    watcher.fails = method
    assert ask(router, server, "/seen/a", "POST", b"hello").body == b"legacy POST /seen/a hello"
    assert sum(item[0] == method for item in watcher.told) == 1


def test_what_a_wsgi_app_writes_or_reads_by_lines_is_shown(watcher: Watcher) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        source = environ["wsgi.input"]
        buffer = bytearray(2)
        read = [source.readline(), *source.readlines(3), next(iter(source)), source.read1(1)]
        source.readinto(buffer)
        start_response("200 OK", [])(b"written ")
        return [*read, bytes(buffer), str(source.closed).encode()]

    table = RouteTable((Route("/", shadow="compare"),))
    router = Router(app, NewWsgi(), table=table, switches=(), shadow=watcher)
    answer = ask(router, "wsgi", "/", "POST", b"a\nb\nc\nd\nefg")
    assert answer.body == b"written a\nb\nc\nd\nefgFalse"
    assert b"".join(item[1] for item in watcher.told if item[0] == "request") == b"a\nb\nc\nd\nefg"
    assert watcher.told[-2:] == [("body", b"False"), ("end", None)]


def test_a_wsgi_app_that_replaces_its_head_is_shown(watcher: Watcher) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        try:
            raise ValueError
        except ValueError as error:
            start_response("503 Sorry", [], (type(error), error, error.__traceback__))
        return [b"sorry"]

    table = RouteTable((Route("/", shadow="compare"),))
    router = Router(app, NewWsgi(), table=table, switches=(), shadow=watcher)
    assert ask(router, "wsgi", "/").status == 503
    assert [item[1] for item in watcher.told if item[0] == "head"] == [200, 503]


@pytest.mark.parametrize(("status", "headers"), [("OK", []), (200, []), ("200 OK", [("X-Name",)])])
def test_a_malformed_head_that_the_server_took_ends_the_observation_alone(
    watcher: Watcher, status: Any, headers: Any
) -> None:
    def malformed(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, headers)
        return [b"served"]

    router = Router(malformed, NewWsgi(), table=RouteTable(ROUTES), switches=(), shadow=watcher)
    heads: list[Any] = []
    response: Any = router.wsgi(make_environ(path="/seen/a"), lambda *head: heads.append(head))
    assert list(response) == [b"served"]
    response.close()
    assert heads == [(status, headers)]
    assert [what for what, *_ in watcher.told] == ["begin", "end"]
    assert watcher.told[-1][1]


def endless(environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield from itertools.repeat(b"more")


async def waiting(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"more", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


def test_a_client_that_leaves_half_way_is_no_clean_end(watcher: Watcher, server: str) -> None:
    table = RouteTable((Route("/", shadow="compare"),))
    legacy = endless if server == "wsgi" else waiting
    router = Router(legacy, NewWsgi(), table=table, switches=(), shadow=watcher)
    exchange = run(getattr(router, server), Scenario(peer=[Disconnect(after_messages=2)]))
    router.close()
    assert not exchange.complete
    assert watcher.told[-1] == ("end", "the client left before the response was whole")


@pytest.mark.parametrize("length", ["3", "a few"])
def test_a_server_that_takes_no_more_than_the_content_length_has_all_of_it(watcher: Watcher, length: str) -> None:
    def stream(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", length)])
        yield from (b"one", b"two")

    table = RouteTable((Route("/", shadow="compare"),))
    router = Router(stream, NewWsgi(), table=table, switches=(), shadow=watcher)
    response: Any = router.wsgi(make_environ(), lambda *head: None)
    assert next(response) == b"one"
    response.close()
    router.close()
    assert (watcher.told[-1] == ("end", None)) is (length == "3")
