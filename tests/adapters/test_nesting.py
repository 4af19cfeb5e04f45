"""Adapters inside adapters: they serve, without a deadlock on one thread, and come off again where nothing is lost."""

from __future__ import annotations

import asyncio
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from anysgi import AsgiToWsgi, WorkerPool, WsgiToAsgi, to_asgi, to_wsgi
from anysgi.exceptions import ConventionError
from anysgi.testing import Scenario

from ._calling import asgi_app, body, fetch, head
from ._driving import comes_true, serve, wsgi_app
from ._sockets import WebSocketPeer, open_websocket


async def echo(scope: Any, receive: Any, send: Any) -> None:
    content, more = b"", True
    while more:
        message = await receive()
        content += message["body"]
        more = message["more_body"]
    await send(head())
    await send(body(content[:5], more=True))
    await send(body(content[5:]))


@pytest.mark.anyio
async def test_an_asgi_app_inside_wsgi_inside_asgi_is_served_with_one_thread() -> None:
    nested = WsgiToAsgi(AsgiToWsgi(echo, lifespan="off"), threads=1)
    for _ in range(3):
        peer = await serve(nested, Scenario("POST", body=[b"0123", b"456789"]))
        assert peer.body == b"0123456789"


def test_a_wsgi_app_inside_asgi_inside_wsgi_is_served() -> None:
    assert fetch(AsgiToWsgi(WsgiToAsgi(wsgi_app(b"a", b"b"), threads=1))).body == b"ab"


@pytest.mark.anyio
async def test_a_sandwich_of_five_adapters_is_served_with_one_thread() -> None:
    """Each layer waits for the next, in a pool of one: the thread that waits lends its place."""
    with WorkerPool(1) as pool:
        app = WsgiToAsgi(AsgiToWsgi(echo, lifespan="off"), pool=pool)
        for _ in range(2):
            app = WsgiToAsgi(AsgiToWsgi(app, lifespan="off"), pool=pool)
        for _ in range(3):
            peer = await serve(app, Scenario("POST", body=[b"0123", b"456789"]))
            assert peer.body == b"0123456789"
        assert pool.stats().threads == 1


def test_a_loop_that_ends_without_a_lifespan_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    def hidden(app: Any) -> Any:
        return lambda environ, start_response: app(environ, start_response)

    async def main() -> None:
        app = WsgiToAsgi(wsgi_app(b"x"))
        for _ in range(2):
            app = WsgiToAsgi(hidden(AsgiToWsgi(app, shutdown_timeout=0.2)))
        assert (await serve(app)).body == b"x"

    asyncio.run(main())
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_sandwich_of_five_under_a_wsgi_server_is_served_with_one_thread() -> None:
    with WorkerPool(1) as pool:
        app: Any = wsgi_app(b"inner")
        for _ in range(3):
            app = AsgiToWsgi(WsgiToAsgi(app, pool=pool), lifespan="off")
        for _ in range(3):
            assert fetch(app).body == b"inner"


@pytest.mark.anyio
async def test_apart_from_lent_places_a_pool_of_one_runs_one_request() -> None:
    """`threads=1` still means one at a time, for an app that several servers' requests reach."""
    running = [0, 0]

    def counts(environ: Any, start_response: Any) -> list[bytes]:
        running[0] += 1
        running[1] = max(running)
        start_response("200 OK", [])
        running[0] -= 1
        return [b"x"]

    inner = WsgiToAsgi(counts, threads=1)
    outer = WsgiToAsgi(AsgiToWsgi(inner, lifespan="off"), threads=8)
    await asyncio.gather(*(serve(outer) for _ in range(16)))
    assert running == [0, 1]
    assert inner.pool.stats().threads == 1


@pytest.mark.anyio
async def test_wsgi_middleware_around_an_asgi_app_under_an_asgi_server() -> None:
    inner = AsgiToWsgi(asgi_app(head(), body(b"inner")), lifespan="off")

    def middleware(environ: Any, start_response: Any) -> Any:
        return inner(environ, lambda status, headers, *a: start_response(status, [*headers, ("X-Outer", "1")], *a))

    peer = await serve(WsgiToAsgi(middleware, threads=1))
    assert (peer.body, peer.header(b"x-outer")) == (b"inner", b"1")


def test_converting_there_and_back_gives_the_same_app() -> None:
    wsgi, asgi = wsgi_app(b"x"), echo
    assert to_asgi(asgi) is asgi
    assert to_wsgi(wsgi) is wsgi
    assert to_asgi(to_wsgi(asgi)) is asgi
    assert to_wsgi(to_asgi(wsgi)) is wsgi


def test_an_adapter_with_options_of_its_own_is_not_taken_off() -> None:
    limited = to_wsgi(echo, max_body_size=10)
    assert isinstance(limited, AsgiToWsgi)
    assert to_wsgi(limited) is limited
    again = to_asgi(limited)
    assert isinstance(again, WsgiToAsgi)
    assert again.app is limited
    bounded = to_asgi(wsgi_app(b"x"), threads=2)
    assert to_asgi(bounded) is bounded
    assert isinstance(to_wsgi(bounded), AsgiToWsgi)


class Service:
    def __call__(self, environ: Any, start_response: Any) -> Any: ...


def module(name: str, **attributes: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(attributes)
    return made


@pytest.mark.parametrize("adapt", [WsgiToAsgi, AsgiToWsgi, to_asgi, to_wsgi], ids=lambda adapt: adapt.__name__)
@pytest.mark.parametrize(
    ("what", "instead"),
    [
        (SimpleNamespace(app=echo), "pass its attribute `.app`"),
        (module("shop", application=echo), "such as shop.application"),
        (None, "without `return app`"),
        ("shop:app", "import it first"),
        (lambda config=None: echo, "looks like a factory: call it"),
        (Service, "make one and pass that, `app = Service(...)`"),
        (lambda request: b"", "takes (request), so it is neither"),
    ],
    ids=["an object", "a module", "None", "a name", "a factory", "a class", "a view"],
)
def test_what_cannot_be_called_as_an_app_is_refused_with_the_line_to_write(adapt: Any, what: Any, instead: str) -> None:
    with pytest.raises(ConventionError) as refused:
        adapt(what)
    assert instead in str(refused.value)


def test_a_convention_that_does_not_show_can_be_told() -> None:
    def unclear(*args: Any) -> Any: ...

    with pytest.raises(ConventionError):
        to_asgi(unclear)
    assert isinstance(to_asgi(unclear, convention="wsgi"), WsgiToAsgi)
    assert to_asgi(unclear, convention="asgi") is unclear
    assert isinstance(to_wsgi(unclear, convention="asgi"), AsgiToWsgi)
    assert to_wsgi(unclear, convention="wsgi") is unclear


@pytest.mark.anyio
async def test_what_an_app_raises_after_its_last_byte_reaches_the_server() -> None:
    """The WSGI half is through at the Content-Length, and lets go of the response, before the app has said so."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head(200, (b"content-length", b"5")))
        await send(body(b"12345", more=True))
        await asyncio.sleep(0)
        await send(body())
        raise RuntimeError("of a background task")

    for _ in range(20):
        with pytest.raises(RuntimeError, match="background task"):
            await serve(WsgiToAsgi(AsgiToWsgi(app, lifespan="off")))


@pytest.mark.anyio
async def test_what_an_app_raises_behind_its_websocket_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """To the WSGI half a WebSocket is a response of 101, which comes too late to be one: that error is nobody's."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise RuntimeError("of the app")

    peer = WebSocketPeer()
    headers = [(b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"sec-websocket-version", b"13")]
    nested = WsgiToAsgi(AsgiToWsgi(app, lifespan="off"))
    async with open_websocket(nested, peer, headers=[*headers, (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")]):
        assert [message["code"] for message in await peer.until("close")] == [1011]
    await comes_true(lambda: "RuntimeError: of the app" in caplog.text)
