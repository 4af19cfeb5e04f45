"""An `AsgiToWsgi` inside a `WsgiToAsgi` is a guest: it lives on the outer loop, in the outer lifespan and request."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.testing import Scenario

from ._calling import asgi_app, body, fetch, head
from ._driving import AsgiPeer, happens, serve, serving

pytestmark = pytest.mark.anyio


class Shows:
    """WSGI middleware that shows what it wraps."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


def hides(inside: Any) -> Any:
    """WSGI middleware that shows nothing: what it wraps has no usual name."""
    return lambda environ, start_response: inside(environ, start_response)


class Inner:
    """An ASGI app with a lifespan that notes where and when it is called."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.loops: list[Any] = []
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.loops.append(asyncio.get_running_loop())
        self.scopes.append(scope)
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{phase}"
                self.events.append(phase)
                scope["state"]["inner"] = phase
                await send({"type": f"lifespan.{phase}.complete"})
            return
        self.events.append("request")
        await send(head())
        await send(body(b"inner"))


class Living:
    """The server's side of a lifespan, on the running loop."""

    def __init__(self, app: Any) -> None:
        self.app, self.state = app, {"server": "state"}
        self.answers: list[Any] = []
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self._news: asyncio.Queue[Any] = asyncio.Queue()

    async def tell(self, phase: str) -> str:
        self._events.put_nowait({"type": f"lifespan.{phase}"})
        return str((await asyncio.wait_for(self._news.get(), 10))["type"])

    async def __aenter__(self) -> Living:
        self._task = asyncio.create_task(self._serve())
        self.started = await self.tell("startup")
        return self

    async def _serve(self) -> None:
        await self.app({"type": "lifespan", "state": self.state}, self._events.get, self._news.put)

    async def __aexit__(self, *exc_info: object) -> None:
        if self.started.endswith("complete"):
            self.stopped = await self.tell("shutdown")
        await asyncio.wait([self._task], timeout=10)
        if self._task.done():
            self._task.exception()


@pytest.mark.parametrize(
    ("wrap", "before", "after"), [(Shows, ["startup"], []), (hides, [], ["startup"])], ids=["shows", "hides"]
)
async def test_the_app_and_its_lifespan_run_on_the_outer_loop(wrap: Any, before: Any, after: Any) -> None:
    app = Inner()
    inner = AsgiToWsgi(app)
    outer = WsgiToAsgi(wrap(inner), threads=1)
    async with Living(outer) as living:
        assert living.started == "lifespan.startup.complete"
        assert app.events == before
        for _ in range(2):
            assert (await serve(outer, state=dict(living.state))).body == b"inner"
        assert app.events == [*before, *after, "request", "request"]
    assert living.stopped == "lifespan.shutdown.complete"
    assert app.events[-1] == "shutdown"
    assert set(app.loops) == {asyncio.get_running_loop()}
    assert inner.homes.own is None  # no loop of its own, no thread


async def test_a_lifespan_that_shows_shares_the_servers_state() -> None:
    app = Inner()
    outer = WsgiToAsgi(Shows(AsgiToWsgi(app)))
    async with Living(outer) as living:
        assert living.state == {"server": "state", "inner": "startup"}
        await serve(outer, state=dict(living.state))
        assert app.scopes[-1]["state"] == living.state


async def test_a_server_without_lifespan_has_it_run_at_the_first_request_and_close_ends_it() -> None:
    app = Inner()
    inner = AsgiToWsgi(app)
    await serve(WsgiToAsgi(inner))
    assert app.events == ["startup", "request"]
    assert app.scopes[-1]["state"] == {"inner": "startup"}
    with pytest.raises(RuntimeError, match="its own event loop"):
        inner.close()
    await serve(WsgiToAsgi(inner))  # refusing changed nothing
    await asyncio.to_thread(inner.close)
    assert app.events == ["startup", "request", "request", "shutdown"]
    await serve(WsgiToAsgi(inner))
    assert app.events[-2:] == ["startup", "request"]
    await asyncio.to_thread(inner.close)


async def test_a_startup_that_fails_is_the_outer_ones_failure() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async with Living(WsgiToAsgi(AsgiToWsgi(fails))) as living:
        assert living.started == "lifespan.startup.failed"


async def test_a_hidden_startup_that_fails_is_raised_at_every_request() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    outer = WsgiToAsgi(hides(AsgiToWsgi(fails)))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no database"):
            await serve(outer)


async def test_the_request_is_the_outer_one_for_all_that_is_not_http() -> None:
    """What ASGI middleware outside puts into the scope reaches the app inside; the state both ways."""
    app = Inner()

    def adds_a_header(environ: Any, start_response: Any) -> Any:
        return inner({**environ, "HTTP_X_MORE": "1", "PATH_INFO": "/other"}, start_response)

    inner = AsgiToWsgi(app, lifespan="off")
    state: dict[str, Any] = {"user": "ada"}
    await serve(WsgiToAsgi(adds_a_header), session={"cart": 1}, state=state, path="/path")
    scope = app.scopes[-1]
    assert scope["session"] == {"cart": 1}
    assert scope["state"] is state
    assert scope["path"] == "/other"
    assert (b"x-more", b"1") in scope["headers"]


async def test_what_a_lifespan_of_the_outer_adapter_yields_is_state_of_the_inner_app() -> None:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def lifespan(adapter: Any) -> Any:
        yield {"pool": "open"}

    app = Inner()
    outer = WsgiToAsgi(AsgiToWsgi(app, lifespan="off"), lifespan=lifespan)
    async with Living(outer):
        await serve(outer)  # a server that gives requests no state
    assert app.scopes[-1]["state"] == {"pool": "open"}


async def test_trailers_end_at_the_wsgi_layer_even_where_the_server_takes_them() -> None:
    """WSGI middleware in between may have answered with something else, which they would be wrong about."""
    trailers = {"type": "http.response.trailers", "headers": [(b"digest", b"x")]}
    app = asgi_app({**head(200, (b"trailer", b"digest")), "trailers": True}, body(b"x"), trailers)
    peer = await serve(WsgiToAsgi(Shows(AsgiToWsgi(app, lifespan="off"))), extensions={"http.response.trailers": {}})
    assert "http.response.trailers" not in app.scope["extensions"]  # type: ignore[attr-defined]
    assert [message["type"] for message in peer.sent] == ["http.response.start", "http.response.body"]
    assert not peer.sent[0].get("trailers")
    assert (peer.complete, peer.header(b"trailer")) == (True, None)


class Waits:
    """An ASGI app that reads its body, then waits for its client to leave; stubborn, it stays on."""

    def __init__(self, *, stubborn: bool = False, stream: bool = False) -> None:
        self.stubborn, self.stream = stubborn, stream
        self.waiting, self.ended = asyncio.Event(), asyncio.Event()
        self.seen: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.loop = asyncio.get_running_loop()
        if self.stream:
            await send(head())
            await send(body(b"x", more=True))
        try:
            while (await receive())["type"] == "http.request":
                self.waiting.set()
            self.seen.append("http.disconnect")
            if self.stubborn:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.seen.append("cancelled")
            raise
        finally:
            self.ended.set()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_is_told_to_the_inner_app(stream: bool) -> None:
    app = Waits(stream=stream)
    peer = AsgiPeer()
    async with serving(WsgiToAsgi(AsgiToWsgi(app, lifespan="off"), threads=1), peer):
        await happens(app.waiting)
        peer.leave()
        await happens(app.ended)
    assert app.seen == ["http.disconnect"]


async def test_an_inner_app_that_stays_on_is_cancelled_after_its_grace() -> None:
    app = Waits(stubborn=True)
    peer = AsgiPeer()
    async with serving(WsgiToAsgi(AsgiToWsgi(app, lifespan="off", grace=0.01)), peer):
        await happens(app.waiting)
        peer.leave()
        await happens(app.ended)
    assert app.seen == ["http.disconnect", "cancelled"]


async def test_cancelling_the_outer_request_ends_the_inner_one() -> None:
    app = Waits()
    async with serving(WsgiToAsgi(AsgiToWsgi(app, lifespan="off"))) as task:
        await happens(app.waiting)
        task.cancel()
        await happens(app.ended)
    assert app.seen == ["http.disconnect"]


async def test_a_timeout_outside_ends_the_inner_request() -> None:
    app = Waits()
    peer = await serve(WsgiToAsgi(AsgiToWsgi(app, lifespan="off"), timeout=0.05))
    assert peer.status == 504
    await happens(app.ended)


async def test_a_request_that_begins_after_the_outer_one_is_over_is_not_run() -> None:
    app = Inner()
    inner = AsgiToWsgi(app, lifespan="off")
    kept: dict[str, Any] = {}

    def keeps(environ: Any, start_response: Any) -> Any:
        kept.update(environ)
        start_response("200 OK", [])
        return [b"kept"]

    await serve(WsgiToAsgi(keeps))
    heads: list[str] = []
    await asyncio.to_thread(lambda: inner(kept, lambda status, headers: heads.append(status)))
    assert heads == ["503 Service Unavailable"]
    assert app.events == []


async def test_errors_go_through_the_layers_on_request() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        await serve(WsgiToAsgi(AsgiToWsgi(fails, lifespan="off", raise_app_errors=True)))
    assert (await serve(WsgiToAsgi(AsgiToWsgi(fails, lifespan="off")))).status == 500


async def test_an_upload_and_a_download_larger_than_the_windows_pass_with_one_thread() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send(body(message["body"], more=more))

    parts = [bytes([n]) * 1000 for n in range(50)]
    nested = WsgiToAsgi(AsgiToWsgi(echo, lifespan="off", window=2000), threads=1, window=3000)
    assert (await serve(nested, Scenario("POST", body=parts))).body == b"".join(parts)


def test_on_a_server_of_its_own_it_has_its_own_loop() -> None:
    """The same adapter may be the outermost of one app and nested in another."""
    app = Inner()
    inner = AsgiToWsgi(app)
    assert fetch(inner).body == b"inner"
    asyncio.run(serve(WsgiToAsgi(inner)))
    asyncio.run(serve(WsgiToAsgi(inner)))
    assert fetch(inner).body == b"inner"
    inner.close()
    assert app.events.count("startup") == 3  # one for each loop it ran on
    assert app.events.count("request") == 4
    assert len(set(map(id, app.loops))) >= 2


async def test_many_at_once_need_no_thread_but_the_outer_ones() -> None:
    inner = AsgiToWsgi(asgi_app(head(), body(b"x")), lifespan="off")
    before = {t.name for t in threading.enumerate()}
    outer = WsgiToAsgi(inner, threads=2)
    peers = await asyncio.gather(*(serve(outer) for _ in range(20)))
    assert all(peer.body == b"x" for peer in peers)
    grown = {t.name for t in threading.enumerate()} - before
    assert not [name for name in grown if name.startswith("anysgi-loop")]
