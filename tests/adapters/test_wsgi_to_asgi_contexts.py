"""WsgiToAsgi and context variables: a copy goes in, one context serves the whole request, nothing leaks to the next."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from anysgi import WsgiToAsgi
from anysgi.testing import Scenario

from ._driving import serve, wsgi_app

outer: ContextVar[str] = ContextVar("outer", default="default")
inner: ContextVar[str] = ContextVar("inner", default="default")


class Spy:
    """A WSGI app that notes both variables in its call, its generator and its close()."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def look(self) -> None:
        self.seen.append((outer.get(), inner.get()))

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.look()
        inner.set(environ["PATH_INFO"])
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Any:
        self.look()
        yield b"a"
        inner.set("from the generator")
        yield b"b"

    def close(self) -> None:
        self.look()


@pytest.mark.anyio
async def test_the_callers_variables_are_seen_in_the_call_the_generator_and_close() -> None:
    outer.set("caller")
    spy = Spy()
    await serve(WsgiToAsgi(spy), path="/x")
    assert spy.seen == [("caller", "default"), ("caller", "/x"), ("caller", "from the generator")]


@pytest.mark.anyio
async def test_what_the_app_sets_stays_inside_by_default() -> None:
    await serve(WsgiToAsgi(Spy()))
    assert inner.get() == "default"


@pytest.mark.anyio
async def test_what_the_app_sets_comes_back_on_request() -> None:
    async with asyncio.timeout(10):
        outer.set("kept")
        adapter = WsgiToAsgi(Spy(), propagate_context=True)

        async def middleware(scope: Any, receive: Any, send: Any) -> None:
            await adapter(scope, receive, send)
            assert (outer.get(), inner.get()) == ("kept", "from the generator")
            seen.append(True)

        seen: list[bool] = []
        await serve(middleware)
    assert seen == [True]


@pytest.mark.anyio
async def test_the_next_request_on_the_same_thread_sees_none_of_it() -> None:
    spy = Spy()
    adapter = WsgiToAsgi(spy, threads=1)
    await asyncio.create_task(serve(adapter, path="/first"))
    await asyncio.create_task(serve(adapter, path="/second"))
    assert [first for first in spy.seen if first[1] == "default"] == [("default", "default")] * 2


@pytest.mark.anyio
async def test_a_failing_app_gives_nothing_back_but_its_error() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        inner.set("half done")
        return wsgi_app(3)(environ, start_response)

    with pytest.raises(TypeError):
        await serve(WsgiToAsgi(app, propagate_context=True))


@pytest.mark.anyio
async def test_what_is_around_receive_is_asked_in_the_requests_context() -> None:
    """The app's thread asks first; whatever it wakes the loop with, middleware sees its own request."""
    seen: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [body]

    async def request(number: int) -> bytes:
        outer.set(str(number))

        async def middleware(scope: Any, receive: Any, send: Any) -> None:
            async def asked() -> Any:
                seen.append(f"{number} {outer.get()}")
                return await receive()

            await adapter(scope, asked, send)

        return (await serve(middleware, Scenario("POST", body=b"%d" % number))).body

    adapter = WsgiToAsgi(app)
    bodies = await asyncio.gather(*(request(number) for number in range(8)))
    assert bodies == [b"%d" % number for number in range(8)]
    assert set(seen) == {f"{number} {number}" for number in range(8)}
