"""A `WsgiToAsgi` inside an `AsgiToWsgi`: ASGI middleware around a WSGI app on a WSGI server, on one thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.exceptions import ClientDisconnected
from anysgi.testing import Disconnect, Scenario, run
from tests.conftest import BOUND

from ._calling import fetch
from ._driving import wsgi_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


class PassesOn:
    """ASGI middleware, as plain as can be."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_on(message: Any) -> None:
            await send(message)

        await self.app(scope, receive, send_on)


def nest(app: Any, *, outside: dict[str, Any] | None = None, **options: Any) -> AsgiToWsgi:
    return AsgiToWsgi(PassesOn(WsgiToAsgi(app, **{"threads": 1, "grace": 0.5, **options})), **(outside or {}))


class Streams:
    """A WSGI app that yields what `chunks` gives.

    Attributes:
        threads: of the call, of each step, and of each `close()`.
        closed: set by `close()`.
    """

    def __init__(self, chunks: Callable[[Any], Iterator[bytes]]) -> None:
        self._chunks = chunks
        self.threads: list[tuple[str, int]] = []
        self.closed = threading.Event()

    def __call__(self, environ: Any, start_response: Any) -> Streams:
        self._note("call")
        start_response("200 OK", [])
        self._left = self._chunks(environ)
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._note("step")
        return next(self._left)

    def close(self) -> None:
        self._note("close")
        self.closed.set()

    def _note(self, what: str) -> None:
        self.threads.append((what, threading.get_ident()))

    def was_closed_once(self) -> bool:
        """By the end of the request, and all of it on one thread."""
        assert self.closed.wait(BOUND)
        kinds = [what for what, _ in self.threads]
        return kinds.count("close") == 1 and kinds[-1] == "close" and len({thread for _, thread in self.threads}) == 1


def three(environ: Any) -> Iterator[bytes]:
    yield from (b"a", b"b", b"c")


def endless(environ: Any) -> Iterator[bytes]:
    while True:
        yield b"x" * 1000


def fails(environ: Any) -> Iterator[bytes]:
    yield b"a" * 1_000_000
    raise LookupError("half-way")


def test_a_stream_is_closed_once_when_it_is_through() -> None:
    app = Streams(three)
    assert fetch(nest(app)).body == b"abc"
    assert app.was_closed_once()


def test_a_stream_is_closed_once_when_its_client_leaves() -> None:
    app = Streams(endless)
    outer = nest(app)
    for _ in range(3):  # the only thread is free again each time
        app.closed.clear()
        app.threads.clear()
        assert run(outer, Scenario(peer=[Disconnect(after_messages=2)])).body
        assert app.was_closed_once()


def test_a_stream_that_fails_is_closed_once_and_cut() -> None:
    app = Streams(fails)
    with pytest.raises(LookupError, match="half-way"):
        run(nest(app, window=1000)).raise_for_exception()
    assert app.was_closed_once()


def test_an_upload_that_breaks_off_raises_in_the_apps_read_and_closes_once() -> None:
    heard: list[BaseException] = []

    def reads(environ: Any) -> Iterator[bytes]:
        yield b"go on"
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            heard.append(error)
            raise

    app = Streams(reads)
    half = Scenario("POST", body=b"half of it", peer=[Disconnect(after_bytes=4)], like="gunicorn")
    with pytest.raises(ClientDisconnected):
        run(nest(app), half).raise_for_exception()
    assert app.was_closed_once()
    assert isinstance(heard[0], ClientDisconnected)


def test_bodies_larger_than_every_window_pass_both_ways() -> None:
    def echoes(environ: Any) -> Iterator[bytes]:
        while piece := environ["wsgi.input"].read(700):
            yield piece

    sent = bytes(range(256)) * 400
    app = Streams(echoes)
    assert fetch(nest(app, window=2000, outside={"window": 3000}), "POST", body=sent).body == sent
    assert app.was_closed_once()


def test_one_thread_means_one_request_at_a_time() -> None:
    running: list[int] = []
    most = [0]

    def counts(environ: Any) -> Iterator[bytes]:
        running.append(1)
        most[0] = max(most[0], len(running))
        yield b"a"
        running.pop()

    outer = nest(lambda environ, start_response: Streams(counts)(environ, start_response))
    with ThreadPoolExecutor(8) as crowd:
        assert [peer.body for peer in crowd.map(lambda _: fetch(outer), range(32))] == [b"a"] * 32
    assert most == [1]


def test_context_variables_of_the_servers_thread_reach_the_app_and_its_own_stay_with_it() -> None:
    seen: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(tenant.get())
        tenant.set("set by the app")
        return wsgi_app(b"x")(environ, start_response)

    token = tenant.set("ada")
    try:
        outer = nest(app)
        for _ in range(3):
            fetch(outer)
        assert tenant.get() == "ada"
    finally:
        tenant.reset(token)
    assert seen == ["ada"] * 3


def test_the_lifespan_runs_once_around_all_requests_and_its_state_reaches_the_app() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(adapter: Any) -> Any:
        events.append("startup")
        yield {"pool": "open"}
        events.append("shutdown")

    app = wsgi_app(b"x")
    with nest(app, lifespan=lifespan) as outer:
        for _ in range(3):
            assert fetch(outer).body == b"x"
            assert app.environ["anysgi.state"]["pool"] == "open"  # type: ignore[attr-defined]
        assert events == ["startup"]
    assert events == ["startup", "shutdown"]
