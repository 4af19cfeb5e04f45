"""WsgiToAsgi, when it looks at the client and when it does not: in the queue, when the app asks, after the end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from anysgi import WorkerPool, WsgiToAsgi
from anysgi.testing import Scenario
from tests.conftest import BOUND, eventually

from ._driving import AsgiPeer, comes_true, happens, serve, serving, upload, wsgi_app


@pytest.mark.anyio
async def test_a_request_whose_client_left_while_it_queued_is_never_run() -> None:
    release, running = threading.Event(), threading.Event()
    calls: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        running.set()
        release.wait(BOUND)
        return wsgi_app(b"x")(environ, start_response)

    adapter = WsgiToAsgi(app, pool=WorkerPool(1))
    queued = AsgiPeer()
    async with serving(adapter, path="/busy"):
        await happens(running)
        async with serving(adapter, queued, path="/queued"):
            await happens(queued.idle)  # it is watched while it waits
            queued.leave()
        release.set()
    assert (await serve(adapter, path="/next")).status == 200
    assert calls == ["/busy", "/next"]
    assert queued.sent == []


@pytest.mark.anyio
async def test_a_queued_request_that_expects_100_continue_is_not_read() -> None:
    release, running = threading.Event(), threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        running.set()
        assert release.wait(BOUND)
        return wsgi_app(b"x")(environ, start_response)

    adapter = WsgiToAsgi(app, threads=1)
    async with serving(adapter):
        await happens(running)
        expects = Scenario("POST", headers={"expect": "100-continue"}, body=b"x")
        async with serving(adapter, expects) as queued:
            await comes_true(lambda: adapter.pool.stats().queued == 1)
            release.set()
    assert (await queued).body == b"x"
    assert (await queued).received == 0


@pytest.mark.anyio
async def test_the_app_can_ask_at_any_time_whether_its_client_left() -> None:
    answers: list[bool] = []
    peer = AsgiPeer()
    asked = threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        gone = environ["anysgi.client_disconnected"]
        answers.append(gone())
        asked.set()
        assert peer.told.wait(BOUND)
        answers.append(gone())
        return wsgi_app(b"too late")(environ, start_response)

    async with serving(WsgiToAsgi(app), peer):
        await happens(asked)
        peer.leave()
    assert answers == [False, True]


@pytest.mark.anyio
async def test_asking_after_the_exchange_is_over_reads_nothing() -> None:
    app = wsgi_app(b"x")
    peer = await serve(WsgiToAsgi(app))
    app.environ["anysgi.client_disconnected"]()
    for _ in range(3):
        await asyncio.sleep(0)
    assert peer.received == 0
    with pytest.raises(OSError, match="over"):
        app.environ["wsgi.input"].read()


@pytest.mark.anyio
async def test_a_body_too_large_to_be_kept_is_given_up_when_the_response_streams() -> None:
    """Else a disconnect behind it would never be seen."""
    peer = AsgiPeer(*upload(*[b"x" * 100] * 5))
    refused: list[BaseException] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        environ["anysgi.client_disconnected"]()  # begins to read
        assert eventually(lambda: peer.received == 1)
        yield b"streaming"
        assert eventually(lambda: bool(environ["anysgi.outer"].open().broken))
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            refused.append(error)

    await serve(WsgiToAsgi(app, window=100), peer, "POST")
    assert peer.body == b"streaming"
    assert "not read before the response streamed" in str(refused[0])
