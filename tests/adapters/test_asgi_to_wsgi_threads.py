"""AsgiToWsgi and its loop: shared, long-lived, drained at the end, in debug mode here, not to be called from inside."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from anysgi import AsgiToWsgi
from anysgi._bridge._loop_thread import shared_loop
from anysgi.testing import run
from tests.conftest import BOUND, eventually

from ._calling import WsgiPeer, asgi_app, body, fetch, head, make_environ


def wrap(app: Any, **options: Any) -> AsgiToWsgi:
    return AsgiToWsgi(app, **{"lifespan": "off", **options})


def test_a_thousand_wrapped_apps_share_one_thread() -> None:
    fetch(wrap(asgi_app(head(), body(b"x"))))
    before = threading.active_count()
    for _ in range(1000):
        assert fetch(AsgiToWsgi(asgi_app(head(), body(b"x")))).body == b"x"
    assert threading.active_count() <= before + 1


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_loop_is_the_one_asked_for_and_runs_in_debug_mode_here(loop: Any) -> None:
    seen: list[asyncio.AbstractEventLoop] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(asyncio.get_running_loop())
        await asgi_app(head(), body())(scope, receive, send)

    fetch(wrap(app, loop=loop))
    assert type(seen[0]).__module__.startswith(loop)
    assert seen[0].get_debug()


def test_a_loop_that_is_not_installed_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shared_loop("uvloop").stop()
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(ImportError, match="pip install uvloop"):
        fetch(wrap(asgi_app(), loop="uvloop"))


def test_locks_and_queues_of_the_app_work_over_many_requests() -> None:
    lock, queue = asyncio.Lock(), asyncio.Queue[int]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with lock:
            await asyncio.sleep(0)
            queue.put_nowait(queue.qsize())
        await send(head())
        await send(body(b"%d" % queue.qsize()))

    adapter = wrap(app)
    with ThreadPoolExecutor(8) as threads:
        bodies = [peer.body for peer in threads.map(lambda _: fetch(adapter), range(50))]
    assert max(map(int, bodies)) == 50


def test_calling_it_on_its_own_loops_thread_is_an_error_and_not_a_hang() -> None:
    inner = wrap(asgi_app(head(), body(b"inner")))
    raised: list[RuntimeError] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for adapter in (inner, AsgiToWsgi(inner.app)):  # one that runs already, one that would have to start
            try:
                adapter(make_environ(), lambda *a: None)
            except RuntimeError as error:
                raised.append(error)
        await send(head())
        await send(body(await asyncio.to_thread(lambda: fetch(inner).body)))

    fetch(inner)
    assert fetch(wrap(app)).body == b"inner"
    assert [("own event loop" in str(error)) for error in raised] == [True, True]


def test_a_background_task_does_not_delay_the_end_of_the_response() -> None:
    gate, done = asyncio.Event(), threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"a", more=True))
        await send(body(b"b"))
        await asyncio.wait_for(gate.wait(), BOUND)
        done.set()

    peer = fetch(wrap(app))  # returns although the task is not done
    assert peer.body == b"ab"
    assert not done.is_set()
    shared_loop("asyncio").port.loop.call_soon_threadsafe(gate.set)
    assert done.wait(BOUND)


@pytest.mark.parametrize("ends", [True, False])
def test_close_waits_for_background_tasks_and_cancels_those_that_do_not_end(ends: bool) -> None:
    gate = asyncio.Event()
    how: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x"))
        try:
            await gate.wait()
            how.append("ended")
        except asyncio.CancelledError:
            how.append("cancelled")
            raise

    adapter = wrap(app, shutdown_timeout=BOUND if ends else 0.02)
    fetch(adapter)
    if ends:
        shared_loop("asyncio").port.loop.call_soon_threadsafe(gate.set)
    adapter.close()
    assert how == ["ended" if ends else "cancelled"]


def test_a_request_in_flight_is_finished_before_close_returns() -> None:
    gate, running = asyncio.Event(), threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        running.set()
        await asyncio.wait_for(gate.wait(), BOUND)
        await asgi_app(head(), body(b"served"))(scope, receive, send)

    adapter = wrap(app)
    peers: list[WsgiPeer] = []
    request = threading.Thread(target=lambda: peers.append(fetch(adapter)))
    request.start()
    assert running.wait(BOUND)
    closing = threading.Thread(target=adapter.close)
    closing.start()
    assert eventually(lambda: adapter.homes.own is None)
    shared_loop("asyncio").port.loop.call_soon_threadsafe(gate.set)
    closing.join(BOUND)
    request.join(BOUND)
    assert not closing.is_alive()
    assert peers[0].body == b"served"


def test_a_loop_that_was_stopped_is_replaced_at_the_next_request() -> None:
    adapter = AsgiToWsgi(asgi_app(head(), body(b"x")), lifespan="off", loop="uvloop")
    fetch(adapter)
    shared_loop("uvloop").stop()
    adapter.close()  # its loop is gone: there is nothing to wait for
    assert fetch(adapter).body == b"x"
    adapter.close()


def test_a_request_in_flight_when_its_loop_is_stopped_is_told_that_nobody_waits() -> None:
    told: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(head())
        await send(body(b"x", more=True))
        told.append((await receive())["type"])

    peer = WsgiPeer(wrap(app, loop="uvloop"))
    assert peer.read() == b"x"
    shared_loop("uvloop").stop()
    assert told == ["http.disconnect"]
    peer.close()


def test_an_app_that_takes_too_long_is_answered_504_and_told_to_stop(caplog: pytest.LogCaptureFixture) -> None:
    cancelled = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    peer = fetch(wrap(app, timeout=0.02, grace=0.02))
    assert peer.status == "504 Gateway Timeout"
    assert "answered 504" in caplog.text
    assert cancelled.wait(BOUND)


def test_a_response_that_takes_too_long_is_cut() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"begun", more=True))
        await asyncio.Event().wait()

    found = run(wrap(app, timeout=0.2, grace=0.02))
    assert found.body == b"begun"
    with pytest.raises(TimeoutError, match="too long"):
        found.raise_for_exception()
    assert fetch(wrap(asgi_app(head(), body(b"x")), timeout=BOUND)).body == b"x"


def test_a_synchronous_client_may_use_it_as_its_transport() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await send(head(200, (b"x-path", scope["raw_path"])))
        await send(body(message["body"]))

    loop_tasks = len(asyncio.all_tasks(shared_loop("asyncio").port.loop))
    threads = threading.active_count()
    with AsgiToWsgi(app, lifespan="off") as adapter:
        transport = httpx.WSGITransport(app=adapter)
        with httpx.Client(transport=transport, base_url="http://testserver") as client:
            for number in range(1000):
                reply = client.post(f"/{number}", content=b"%d" % number)
                assert (reply.content, reply.headers["x-path"]) == (b"%d" % number, f"/{number}")
    assert threading.active_count() <= threads
    assert eventually(lambda: len(asyncio.all_tasks(shared_loop("asyncio").port.loop)) <= loop_tasks)
