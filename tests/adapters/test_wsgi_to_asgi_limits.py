"""WsgiToAsgi, threads and limits: who runs at once, who waits, and who is answered 413, 503 or 504."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from anysgi import WorkerPool, WsgiToAsgi
from anysgi.exceptions import PoolClosed, RequestTimeout
from anysgi.testing import Disconnect, Scenario
from tests.conftest import BOUND

from ._driving import GONE, AsgiPeer, comes_true, happens, part, serve, serving, upload, wsgi_app


class Held:
    """An app whose requests wait, together, until `release`."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.lock = threading.Lock()
        self.running = self.most = 0

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            assert self.release.wait(BOUND)
        finally:
            with self.lock:
                self.running -= 1
        return wsgi_app(b"served")(environ, start_response)


@pytest.mark.anyio
async def test_as_many_run_at_once_as_there_are_threads_and_the_next_waits() -> None:
    held = Held()
    adapter = WsgiToAsgi(held, threads=3)
    tasks = [asyncio.create_task(serve(adapter)) for _ in range(4)]
    await comes_true(lambda: held.running == 3 and adapter.pool.stats().queued == 1)
    assert adapter.pool.stats().busy == 3
    held.release.set()
    assert [(await task).body for task in tasks] == [b"served"] * 4
    assert held.most == 3


@pytest.mark.anyio
async def test_adapters_that_share_a_pool_share_its_bound() -> None:
    held = Held()
    with WorkerPool(1) as pool:
        async with serving(WsgiToAsgi(held, pool=pool)):
            await comes_true(lambda: held.running == 1)
            other = asyncio.create_task(serve(WsgiToAsgi(wsgi_app(b"other"), pool=pool)))
            await comes_true(lambda: pool.stats().queued == 1)
            held.release.set()
            assert (await other).body == b"other"


@pytest.mark.anyio
async def test_a_full_queue_is_answered_503_with_retry_after(caplog: pytest.LogCaptureFixture) -> None:
    held = Held()
    adapter = WsgiToAsgi(held, threads=1, queue_limit=1)
    async with serving(adapter), serving(adapter):
        await comes_true(lambda: held.running == 1 and adapter.pool.stats().queued == 1)
        refused = await serve(adapter, path="/third")
        assert (refused.status, refused.header(b"retry-after")) == (503, b"1")
        assert refused.complete
        assert "GET '/third' answered 503" in caplog.text
        held.release.set()
    assert held.most == 1


@pytest.mark.anyio
async def test_a_burst_that_fits_the_threads_and_the_queue_is_not_refused() -> None:
    held = Held()
    adapter = WsgiToAsgi(held, threads=4, queue_limit=4)
    tasks = [asyncio.create_task(serve(adapter)) for _ in range(8)]
    try:
        await comes_true(lambda: held.running == 4 and adapter.pool.stats().queued == 4)
    finally:
        held.release.set()
    assert [(await task).status for task in tasks] == [200] * 8


@pytest.mark.anyio
async def test_waiting_too_long_for_a_thread_is_answered_503_and_the_app_is_never_called() -> None:
    held = Held()
    adapter = WsgiToAsgi(held, threads=1, queue_timeout=0.02)
    async with serving(adapter):
        await comes_true(lambda: held.running == 1)
        refused = await serve(adapter)
        assert (refused.status, refused.header(b"retry-after")) == (503, b"1")
        held.release.set()
    await comes_true(lambda: adapter.pool.stats().queued == 0)
    assert held.most == 1


@pytest.mark.anyio
async def test_a_request_that_got_its_thread_in_time_is_not_refused_later() -> None:
    held, ticking = Held(), threading.Event()

    def app(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/first":
            return held(environ, start_response)
        assert ticking.wait(BOUND)
        return wsgi_app(b"served")(environ, start_response)

    adapter = WsgiToAsgi(app, threads=1, queue_timeout=0.1)
    async with serving(adapter, path="/first"):
        await comes_true(lambda: held.running == 1)
        async with serving(adapter, path="/second") as second:
            await comes_true(lambda: adapter.pool.stats().queued == 1)
            held.release.set()
            await comes_true(lambda: adapter.pool.stats().queued == 0)
            asyncio.get_running_loop().call_later(0.15, ticking.set)
    assert (await second).body == b"served"


@pytest.mark.anyio
async def test_a_pool_that_was_closed_is_an_error_for_the_server_to_see() -> None:
    pool = WorkerPool(1)
    pool.close()
    with pytest.raises(PoolClosed):
        await serve(WsgiToAsgi(wsgi_app(b"x"), pool=pool))


@pytest.mark.anyio
async def test_an_app_that_takes_too_long_is_answered_504(caplog: pytest.LogCaptureFixture) -> None:
    held = Held()
    adapter = WsgiToAsgi(held, timeout=0.2, grace=0.02)
    peer = await serve(adapter)
    assert (peer.status, peer.complete) == (504, True)
    assert "answered 504" in caplog.text
    assert "its thread is left to it" in caplog.text
    held.release.set()
    await comes_true(lambda: adapter.pool.stats().busy == 0)


@pytest.mark.anyio
async def test_a_response_that_takes_too_long_is_cut_and_its_app_stopped() -> None:
    stopped = threading.Event()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            while True:
                yield b"more"
        finally:
            stopped.set()

    peer = AsgiPeer(on_send=lambda _: asyncio.sleep(0))
    with pytest.raises(RequestTimeout, match=r"0\.5"):
        await serve(WsgiToAsgi(app, timeout=0.5), peer)
    await happens(stopped)
    assert peer.status == 200
    assert not peer.complete


@pytest.mark.anyio
async def test_a_body_announced_larger_than_allowed_is_answered_413_and_the_app_is_not_called() -> None:
    held = Held()
    peer = await serve(WsgiToAsgi(held, max_body_size=10), None, "POST", headers=[(b"content-length", b"11")])
    assert (peer.status, held.most, peer.received) == (413, 0, 0)


def read_all(environ: Any, start_response: Any) -> list[bytes]:
    size = len(environ["wsgi.input"].read())
    start_response("200 OK", [])
    return [b"%d" % size]


@pytest.mark.anyio
async def test_a_body_that_grows_larger_than_allowed_is_answered_413() -> None:
    chunked = {"transfer-encoding": "chunked"}
    grows = Scenario("POST", headers=chunked, body=[b"12345", b"67890", b"1"])
    peer = await serve(WsgiToAsgi(read_all, max_body_size=10), grows)
    assert (peer.status, peer.complete) == (413, True)
    stays = Scenario("POST", headers=chunked, body=[b"12345", b"67890"])
    fits = await serve(WsgiToAsgi(read_all, max_body_size=10), stays)
    assert fits.body == b"10"


@pytest.mark.anyio
async def test_there_is_no_limit_to_a_body_by_default() -> None:
    peer = await serve(WsgiToAsgi(read_all), Scenario("POST", body=[bytes(100_000)] * 200))
    assert peer.body == b"20000000"


@pytest.mark.anyio
@pytest.mark.parametrize("grown", [True, False], ids=["enough came", "it ended"])
async def test_prebuffer_takes_no_thread_until_enough_of_the_body_is_there(grown: bool) -> None:
    lengths: list[str | None] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        lengths.append(environ.get("CONTENT_LENGTH"))
        return read_all(environ, start_response)

    adapter, peer = WsgiToAsgi(app, prebuffer=1_000), AsgiPeer(part(b"x"))
    async with serving(adapter, peer, "POST"):
        for _ in range(3):
            await happens(peer.idle)
            assert adapter.pool.stats().threads == 0
            peer.idle.clear()
            peer.push(part(b"x"))
        peer.push(*([part(bytes(1_000))] if grown else []), *upload(b"end"))
    assert peer.body == (b"1007" if grown else b"7")
    assert lengths in ([[None], ["1007"]] if grown else [["7"]])


@pytest.mark.anyio
async def test_a_client_that_leaves_while_its_body_is_prebuffered_costs_no_thread() -> None:
    held = Held()
    adapter = WsgiToAsgi(held, prebuffer=1_000)
    peer = await serve(adapter, Scenario("POST", body=[b"x", b"y"], peer=[Disconnect(after_chunks=1)]))
    assert (peer.sent, held.most) == ([], 0)


@pytest.mark.anyio
async def test_a_timeout_error_of_the_apps_own_is_no_timeout_of_ours() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        raise TimeoutError("of a database")

    with pytest.raises(TimeoutError, match="of a database"):
        await serve(WsgiToAsgi(app, timeout=BOUND))


@pytest.mark.anyio
async def test_a_drained_adapter_serves_on_and_leaves_a_pool_that_is_not_its_own() -> None:
    with WorkerPool(1) as shared:
        for adapter in (WsgiToAsgi(wsgi_app(b"x")), WsgiToAsgi(wsgi_app(b"x"), pool=shared)):
            await serve(adapter)
            pool = adapter.pool
            await asyncio.to_thread(adapter.drain)
            assert (adapter.pool is pool) is (pool is shared)
            assert (await serve(adapter)).body == b"x"
            await asyncio.to_thread(adapter.drain)


class FullQueue(AsgiPeer):
    """hypercorn's queue: the `send` of the last message waits until the upload, which goes on, was taken from it."""

    def __init__(self) -> None:
        super().__init__(*[part(bytes(65_536))] * 12, GONE, on_send=self._last)

    async def _last(self, message: Any) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            await happens(self.told)


def reads_little(environ: Any, start_response: Any) -> list[bytes]:
    environ["wsgi.input"].read(5)
    return wsgi_app(b"early")(environ, start_response)


def streams_early(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    environ["wsgi.input"].read(5)
    yield b"ear"
    yield b"ly"


CHUNKED = [(b"transfer-encoding", b"chunked")]
EARLY: dict[str, tuple[Any, dict[str, Any], list[tuple[bytes, bytes]], int]] = {
    "it grew too large": (read_all, {"max_body_size": 100_000}, CHUNKED, 413),
    "the announced length is too large": (read_all, {"max_body_size": 10}, [(b"content-length", b"9999999")], 413),
    "its head is wrong": (read_all, {}, [*CHUNKED, (b"content-type", b"a"), (b"content-type", b"b")], 400),
    "the app reads nothing": (wsgi_app(b"early"), {}, CHUNKED, 200),
    "the app reads nothing of a known length": (wsgi_app(b"early"), {}, [(b"content-length", b"9999999")], 200),
    "the app reads little": (reads_little, {"window": 10_000}, CHUNKED, 200),
    "the app streams": (streams_early, {"window": 10_000}, CHUNKED, 200),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("app", "options", "headers", "status"), EARLY.values(), ids=EARLY)
async def test_an_upload_that_goes_on_after_its_answer_does_not_stall_it(
    app: Any, options: dict[str, Any], headers: list[tuple[bytes, bytes]], status: int
) -> None:
    peer = await serve(WsgiToAsgi(app, **options), FullQueue(), "POST", headers=headers)
    assert (peer.status, peer.complete) == (status, True)


@pytest.mark.anyio
async def test_an_upload_that_waits_for_a_thread_in_vain_does_not_stall_its_answer() -> None:
    held = Held()
    adapter = WsgiToAsgi(held, threads=1, queue_limit=0)
    async with serving(adapter):
        await comes_true(lambda: held.running == 1)
        refused = await serve(adapter, FullQueue(), "POST", headers=CHUNKED)
        assert (refused.status, refused.complete) == (503, True)
        held.release.set()
