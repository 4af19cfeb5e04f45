"""WsgiToAsgi calls `close()` of what the app returned exactly once, on its thread, in its context, however it ends."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from anysgi import WsgiToAsgi
from anysgi.testing import Scenario, SendFails, arun
from tests.conftest import BOUND

from ._driving import AsgiPeer, comes_true, happens, serve, serving, wsgi_app

request_of: ContextVar[str] = ContextVar("request_of", default="nobody")


class Body:
    """What the app returns; remembers where the app was called and where close() was."""

    def __init__(self, *chunks: Any) -> None:
        self.chunks = chunks
        self.iterated = 0
        self.closed: list[tuple[int, str]] = []
        self.called: tuple[int, str] | None = None

    def __iter__(self) -> Any:
        return Reader(self)

    def close(self) -> None:
        self.closed.append((threading.get_ident(), request_of.get()))

    def app(self, status: str = "200 OK", *headers: tuple[str, str], start: bool = True) -> Any:
        def app(environ: Any, start_response: Any) -> Body:
            request_of.set(environ["PATH_INFO"])
            self.called = (threading.get_ident(), request_of.get())
            if start:
                start_response(status, list(headers))
            return self

        return app


class Reader:
    """The iterator, which is another object than the iterable, and has no close() to be called."""

    def __init__(self, body: Body) -> None:
        self.body, self.chunks = body, iter(body.chunks)

    def __iter__(self) -> Reader:
        return self

    def __next__(self) -> Any:
        self.body.iterated += 1
        chunk = next(self.chunks)
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk() if callable(chunk) else chunk

    def close(self) -> None:
        raise AssertionError("close() belongs to the iterable, not to its iterator")


async def closed_once(body: Body) -> None:
    await comes_true(lambda: bool(body.closed))
    assert body.closed == [body.called]


@pytest.mark.anyio
async def test_after_a_response_that_went_well() -> None:
    body = Body(b"a", b"b")
    await serve(WsgiToAsgi(body.app()), path="/well")
    await closed_once(body)
    assert body.closed[0][1] == "/well"
    assert request_of.get() == "nobody"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (Body(LookupError("at once")), LookupError),
        (Body(b"a", LookupError("late")), LookupError),
        (Body("text"), TypeError),
        (Body(SystemExit(3)), AssertionError),
        (Body(GeneratorExit()), AssertionError),
    ],
    ids=["before a byte", "after a byte", "wrong type", "SystemExit", "GeneratorExit"],
)
async def test_after_an_exception_while_iterating(body: Body, error: type[Exception]) -> None:
    fresh = Body(*body.chunks)
    with pytest.raises(error):
        await serve(WsgiToAsgi(fresh.app()))
    await closed_once(fresh)


@pytest.mark.anyio
async def test_after_an_app_that_never_called_start_response() -> None:
    body = Body(b"a")
    with pytest.raises(AssertionError, match="start_response"):
        await serve(WsgiToAsgi(body.app(start=False)))
    await closed_once(body)


@pytest.mark.anyio
async def test_after_an_exception_in_send() -> None:
    body = Body(*[b"x"] * 100)
    with pytest.raises(ConnectionResetError):
        await serve(WsgiToAsgi(body.app()), Scenario(peer=[SendFails(at=2)]))
    await closed_once(body)


@pytest.mark.anyio
async def test_after_the_client_left() -> None:
    peer = AsgiPeer()

    def wait() -> bytes:
        assert peer.told.wait(BOUND)
        return b"late"

    body = Body(b"a", wait, b"never", b"never")
    async with serving(WsgiToAsgi(body.app()), peer):
        await happens(peer.started)
        peer.leave()
    await closed_once(body)
    assert body.iterated == 2


@pytest.mark.anyio
async def test_after_a_head_request() -> None:
    body = Body(b"a", b"b")
    peer = await serve(WsgiToAsgi(body.app("200 OK", ("Content-Length", "2"))), None, "HEAD")
    assert (peer.body, peer.header(b"content-length")) == (b"", b"2")
    await closed_once(body)


@pytest.mark.anyio
async def test_after_the_content_length_was_reached_and_iteration_stops_there() -> None:
    body = Body(b"abc", b"def", b"ghi")
    peer = await serve(WsgiToAsgi(body.app("200 OK", ("Content-Length", "3"))))
    await closed_once(body)
    assert body.iterated == 1
    assert peer.body == b"abc"
    assert peer.complete


@pytest.mark.anyio
async def test_after_the_server_cancelled() -> None:
    gate = threading.Event()

    def wait() -> bytes:
        assert gate.wait(BOUND)
        return b"late"

    body = Body(b"a", wait, b"never")
    task = asyncio.create_task(serve(WsgiToAsgi(body.app())))
    await comes_true(lambda: body.iterated == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    await closed_once(body)
    assert body.iterated == 2


@pytest.mark.anyio
async def test_after_a_time_out() -> None:
    gate = threading.Event()
    body = Body(lambda: b"late" if gate.wait(BOUND) else b"")
    peer = await serve(WsgiToAsgi(body.app(), timeout=0.2, grace=0.02))
    assert peer.status == 504
    gate.set()
    await closed_once(body)


@pytest.mark.anyio
@pytest.mark.parametrize("result", [3, None, "text", b"bytes"], ids=repr)
async def test_what_is_no_body_has_no_close_to_call(result: Any) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return result

    with pytest.raises(TypeError, match=r"return \[body\]"):
        await serve(WsgiToAsgi(app))


@pytest.mark.anyio
async def test_a_list_of_one_piece_with_a_close_of_its_own_is_closed() -> None:
    class Closing(list):  # type: ignore[type-arg]
        closed = 0

        def close(self) -> None:
            self.closed += 1

    result = Closing([b"x"])

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return result

    assert (await serve(WsgiToAsgi(app))).body == b"x"
    assert result.closed == 1


@pytest.mark.anyio
async def test_slow_work_in_close_does_not_delay_the_last_byte() -> None:
    ended, gate = asyncio.Event(), threading.Event()
    peer = AsgiPeer(on_send=lambda m: None if m.get("more_body", True) else ended.set())

    def app(environ: Any, start_response: Any) -> Any:
        body = Body(b"a", b"b")
        body.close = lambda: gate.wait(BOUND)  # type: ignore[assignment,method-assign,return-value]
        start_response("200 OK", [])
        return body

    async with serving(WsgiToAsgi(app), peer) as task:
        await happens(ended)
        assert peer.body == b"ab"
        assert not task.done()
        gate.set()


@pytest.mark.anyio
async def test_an_exception_in_close_reaches_the_server() -> None:
    class Failing(Body):
        def close(self) -> None:
            raise LookupError("in close")

    found = await arun(WsgiToAsgi(Failing(b"a").app()))
    assert isinstance(found.exception, LookupError)
    assert found.body == b"a"
    assert (await serve(WsgiToAsgi(wsgi_app(b"fine")))).body == b"fine"


@pytest.mark.anyio
async def test_what_close_writes_goes_nowhere_and_holds_up_nobody() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        body = Body(b"a")
        body.close = lambda: [write(bytes(200_000)) for _ in range(3)]  # type: ignore[assignment,method-assign,return-value]
        return body

    assert (await serve(WsgiToAsgi(app))).body == b"a"
