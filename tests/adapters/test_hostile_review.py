"""What a hostile reader of the adapters found, each as it must be: the loop survives, clocks hold, nobody is blind."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from anysgi import AsgiToWsgi, WorkerPool, WsgiToAsgi
from anysgi.exceptions import AppProtocolError, RequestTimeout
from anysgi.testing import Disconnect, Scenario, SendBlocks, run
from tests.conftest import BOUND, eventually

from ._calling import asgi_app, body, fetch, head
from ._driving import AsgiPeer, happens, serve, serving, upload, wsgi_app


def test_a_child_task_that_raises_system_exit_takes_no_other_request_along() -> None:
    async def leave() -> None:
        raise SystemExit(1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.gather(asyncio.create_task(leave()))

    adapter = AsgiToWsgi(app, lifespan="off")
    assert fetch(adapter).status.startswith("500")
    assert fetch(AsgiToWsgi(asgi_app(head(), body(b"fine")), lifespan="off")).body == b"fine"


@pytest.mark.anyio
@pytest.mark.parametrize(("options", "status"), [({"timeout": 0.1}, 504), ({"max_body_size": 10}, 413)], ids=str)
async def test_collecting_a_body_first_obeys_the_other_limits(options: Any, status: int) -> None:
    peer = AsgiPeer(upload(b"x" * 20, b"")[0])  # and then nothing more
    await serve(WsgiToAsgi(wsgi_app(b"never"), prebuffer=1_000, **options), peer, "POST")
    assert peer.status == status


@pytest.mark.anyio
async def test_a_body_nobody_reads_does_not_hide_that_the_client_left() -> None:
    closed = threading.Event()

    def stream(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            while not closed.wait(0.001):
                yield b"tick"
        finally:
            closed.set()

    left = Scenario("POST", body=[b"x" * 1_000] * 21, peer=[Disconnect(after_chunks=20)], like="uvicorn")
    await serve(WsgiToAsgi(stream, window=4_000), left)
    assert closed.is_set()


@pytest.mark.anyio
async def test_a_client_that_reads_nothing_does_not_outlive_the_timeout() -> None:
    with pytest.raises(RequestTimeout):
        await serve(WsgiToAsgi(wsgi_app(b"x"), timeout=0.1), Scenario(peer=[SendBlocks(at=2)]))


def test_a_stream_that_never_pauses_does_not_outlive_the_timeout() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        while True:
            await send(body(b"tick", more=True))
            await asyncio.sleep(0)

    found = run(AsgiToWsgi(app, lifespan="off", timeout=0.1, grace=0.1))
    assert isinstance(found.exception, RequestTimeout)


def test_a_head_to_a_stream_that_waits_for_ever_ends_after_grace() -> None:
    ended = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(head())
            await send(body(b"tick", more=True))
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert fetch(AsgiToWsgi(app, lifespan="off", grace=0.05), "HEAD").body == b""
    assert ended.wait(BOUND)


@pytest.mark.anyio
async def test_an_app_may_do_to_its_environ_what_it_likes() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        environ.clear()
        return [b""]

    assert (await serve(WsgiToAsgi(app))).status == 200
    assert (await serve(WsgiToAsgi(app), None, "HEAD")).header(b"content-length") is None


@pytest.mark.anyio
async def test_write_belongs_to_the_thread_of_the_call() -> None:
    raised: list[BaseException] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])

        def elsewhere() -> None:
            try:
                write(b"stray")
            except AppProtocolError as error:
                raised.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(BOUND)
        return [b"body"]

    assert (await serve(WsgiToAsgi(app))).body == b"body"
    assert "another thread" in str(raised[0])


def test_a_background_task_that_fails_is_logged_at_close_at_the_latest(caplog: pytest.LogCaptureFixture) -> None:
    go = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x"))
        await asyncio.to_thread(go.wait, BOUND)
        raise LookupError("in the background")

    adapter = AsgiToWsgi(app, lifespan="off")
    assert fetch(adapter).body == b"x"
    go.set()
    adapter.close()
    assert "in the background" in caplog.text


def test_chunks_that_were_undone_override_a_content_length() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append([name for name, _ in scope["headers"]])
        message = await receive()
        while message["more_body"]:
            seen.append(message["body"])
            message = await receive()
        await send(head())
        await send(body())

    more = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": "3"}
    fetch(AsgiToWsgi(app, lifespan="off"), "POST", "/", b"0123456789", **more)
    assert b"content-length" not in seen[0]
    assert b"".join(seen[1:]) == b"0123456789"


def test_a_lifespan_that_gives_up_waiting_for_shutdown_and_asks_again_hears_of_it() -> None:
    events: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        while True:
            try:
                async with asyncio.timeout(0.01):
                    message = await receive()
                    break
            except TimeoutError:
                events.append("asked in vain")
        events.append(message["type"])
        await send({"type": "lifespan.shutdown.complete"})

    with AsgiToWsgi(app, lifespan="on"):
        assert eventually(lambda: len(events) > 2)
    assert events[-1] == "lifespan.shutdown"


@pytest.mark.anyio
async def test_a_request_refused_after_its_time_in_the_queue_is_never_run() -> None:
    held, holding, ran = threading.Event(), threading.Event(), threading.Event()

    def hold(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/hold":
            holding.set()
            held.wait(BOUND)
        elif environ["PATH_INFO"] == "/b":
            ran.set()
        return [b"x"]

    adapter = WsgiToAsgi(hold, pool=WorkerPool(1), queue_timeout=0.05)
    async with serving(adapter, None, "GET", "/hold"):
        await happens(holding)
        refused = await serve(adapter, None, "GET", "/b")
        assert refused.status == 503
        held.set()
    assert (await serve(adapter, None, "GET", "/c")).status == 200
    assert not ran.is_set()
