"""Both adapters on trio: the same promises as on asyncio, with nothing of asyncio about."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.exceptions import ClientDisconnected, LifespanError
from tests.conftest import BOUND, eventually

from ._calling import WsgiPeer, asgi_app, body, fetch, head
from ._driving import http_scope, upload, wsgi_app

if TYPE_CHECKING:
    from collections.abc import Callable

GONE = {"type": "http.disconnect"}


class Peer:
    """A scripted ASGI server's side of one request, on trio."""

    def __init__(self, *messages: Any, on_send: Callable[[Any], Any] | None = None) -> None:
        self._give, self._take = trio.open_memory_channel[Any](100)
        for message in messages or upload(b""):
            self._give.send_nowait(message)
        self.on_send = on_send
        self.sent: list[Any] = []
        self.started = trio.Event()

    async def receive(self) -> Any:
        return await self._take.receive()

    async def send(self, message: Any) -> None:
        await trio.lowlevel.checkpoint()
        if self.on_send is not None:
            self.on_send(message)
        self.sent.append(message)
        if message.get("body"):
            self.started.set()

    def leave(self) -> None:
        self._give.send_nowait(GONE)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])


def run(work: Callable[..., Any], *args: Any) -> Any:
    async def bounded() -> Any:
        with trio.fail_after(BOUND):
            return await work(*args)

    return trio.run(bounded)


def serve(app: Any, peer: Peer | None = None, **scope: Any) -> Any:
    """One request in a run of its own."""

    async def request() -> Any:
        ready = peer or Peer()
        await app(http_scope(**scope), ready.receive, ready.send)
        return ready

    return run(request)


# WsgiToAsgi


def test_a_reply_in_one_piece() -> None:
    peer = serve(WsgiToAsgi(wsgi_app(b"hello")))
    assert (peer.status, peer.body) == (200, b"hello")
    assert [message["type"] for message in peer.sent] == ["http.response.start", "http.response.body"]


def test_a_stream_and_an_upload_larger_than_the_windows() -> None:
    def echo(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        while piece := environ["wsgi.input"].read(1000):
            yield piece

    async def work() -> Peer:
        peer = Peer(*upload(*[bytes([n]) * 1000 for n in range(50)]))
        length = [(b"content-length", b"50000")]
        await WsgiToAsgi(echo, window=2000)(http_scope("POST", headers=length), peer.receive, peer.send)
        return peer

    assert run(work).body == b"".join(bytes([n]) * 1000 for n in range(50))


class Endless:
    """A WSGI app that streams for ever, and says when it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Endless:
        return self

    def __next__(self) -> bytes:
        return b"x" * 1000

    def close(self) -> None:
        self.closed.set()


def test_a_cancelled_request_closes_the_stream() -> None:
    app = Endless()

    async def work() -> None:
        peer = Peer()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(WsgiToAsgi(app), http_scope(), peer.receive, peer.send)
            await peer.started.wait()
            nursery.cancel_scope.cancel()

    run(work)
    assert app.closed.wait(BOUND)


def test_send_that_fails_raises_its_own_error_and_closes_the_stream() -> None:
    app = Endless()

    def fail(message: Any) -> None:
        if message.get("body"):
            raise OSError("broken pipe")

    with pytest.raises(OSError, match="broken pipe"):
        serve(WsgiToAsgi(app), Peer(on_send=fail))
    assert app.closed.wait(BOUND)


def test_an_app_that_takes_too_long_is_answered_504() -> None:
    gate = threading.Event()

    def slow(environ: Any, start_response: Any) -> Any:
        gate.wait(BOUND)
        start_response("200 OK", [])
        return [b"late"]

    assert serve(WsgiToAsgi(slow, timeout=0.05, grace=0.01)).status == 504
    gate.set()


def test_a_request_that_queues_too_long_is_answered_503() -> None:
    gate = threading.Event()

    def slow(environ: Any, start_response: Any) -> Any:
        gate.wait(BOUND)
        start_response("200 OK", [])
        return [b"done"]

    async def work() -> list[Peer]:
        app = WsgiToAsgi(slow, threads=1, queue_timeout=0.05)
        peers = [Peer(), Peer()]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app, http_scope(), peers[0].receive, peers[0].send)
            await trio.testing.wait_all_tasks_blocked()
            await app(http_scope(), peers[1].receive, peers[1].send)
            gate.set()
        return peers

    import trio.testing

    first, second = run(work)
    assert (first.body, second.status) == (b"done", 503)


def test_what_the_app_raises_is_raised() -> None:
    def fails(environ: Any, start_response: Any) -> Any:
        raise LookupError("in the app")

    with pytest.raises(LookupError, match="in the app"):
        serve(WsgiToAsgi(fails))


def test_a_lifespan_with_an_app_inside() -> None:
    events: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                events.append((phase, trio.lowlevel.current_trio_token()))
                await send({"type": f"lifespan.{phase}.complete"})
            return
        events.append(("request", trio.lowlevel.current_trio_token()))
        await send(head())
        await send(body(b"x"))

    app = WsgiToAsgi(AsgiToWsgi(inner, loop="trio"))

    async def work() -> Any:
        give, take = trio.open_memory_channel[Any](10)
        answers: list[str] = []
        started = trio.Event()

        async def answer(message: Any) -> None:
            answers.append(message["type"])
            started.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(app, {"type": "lifespan", "state": {}}, take.receive, answer)
            give.send_nowait({"type": "lifespan.startup"})
            await started.wait()
            peer = Peer()
            await app(http_scope(), peer.receive, peer.send)
            give.send_nowait({"type": "lifespan.shutdown"})
        return peer.body, answers, trio.lowlevel.current_trio_token()

    content, answers, token = run(work)
    assert content == b"x"
    assert answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert events == [("startup", token), ("request", token), ("shutdown", token)]


def test_an_asyncio_app_inside_keeps_its_own_loop() -> None:
    import asyncio

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        await send(head())
        await send(body(b"asyncio"))

    inner_adapter = AsgiToWsgi(inner, lifespan="off")
    assert serve(WsgiToAsgi(inner_adapter)).body == b"asyncio"
    inner_adapter.close()


# AsgiToWsgi


def test_an_app_for_trio_reads_and_streams() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        more = True
        while more:
            message = await receive()
            await trio.sleep(0)
            more = message["more_body"]
            await send(body(message["body"], more=more))

    with AsgiToWsgi(echo, loop="trio", lifespan="off", window=2000) as app:
        assert fetch(app, "POST", body=b"0123456789" * 1000).body == b"0123456789" * 1000


def test_an_app_that_does_not_heed_a_closed_response_is_cancelled() -> None:
    cancelled = threading.Event()

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x", more=True))
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            cancelled.set()
            raise

    with AsgiToWsgi(deaf, loop="trio", lifespan="off", grace=0.01) as adapter:
        peer = WsgiPeer(adapter)
        assert peer.read() == b"x"
        peer.close()
        assert cancelled.wait(BOUND)


def test_a_cancelled_receive_loses_nothing() -> None:
    async def impatient(scope: Any, receive: Any, send: Any) -> None:
        with trio.move_on_after(0):
            await receive()
        content = (await receive())["body"]
        await send(head())
        await send(body(content))

    with AsgiToWsgi(impatient, loop="trio", lifespan="off") as app:
        assert fetch(app, "POST", body=b"whole").body == b"whole"


def test_an_error_of_the_app_is_a_500_with_its_traceback() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("in the app")

    with AsgiToWsgi(fails, loop="trio", lifespan="off") as app:
        peer = fetch(app)
    assert peer.status.startswith("500")
    assert "in the app" in peer.errors


def test_what_would_end_the_process_ends_the_request_and_the_loop_goes_on() -> None:
    async def exits(scope: Any, receive: Any, send: Any) -> None:
        raise SystemExit

    with AsgiToWsgi(exits, loop="trio", lifespan="off") as app:
        for _ in range(2):
            assert fetch(app).status.startswith("500")


def test_its_lifespan_runs_on_the_loop_that_serves_it_and_failures_are_loud() -> None:
    events: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        events.append(trio.lowlevel.current_trio_token())
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                events.append(phase)
                await send({"type": f"lifespan.{phase}.complete"})
            return
        await send(head())
        await send(body(b"x"))

    with AsgiToWsgi(app, loop="trio") as adapter:
        assert fetch(adapter).body == b"x"
    assert [event for event in events if isinstance(event, str)] == ["startup", "shutdown"]
    assert len({id(event) for event in events if not isinstance(event, str)}) == 1

    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        await trio.sleep_forever()

    with pytest.raises(LifespanError, match=r"not complete after 0\.05 s"):
        AsgiToWsgi(hangs, loop="trio", startup_timeout=0.05).start()


def test_a_timeout_and_a_background_task() -> None:
    done = threading.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await trio.sleep_forever()

    async def later(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x"))
        await trio.sleep(0.01)
        done.set()

    with AsgiToWsgi(slow, loop="trio", lifespan="off", timeout=0.05, grace=0.01) as app:
        assert fetch(app).status.startswith("504")
    with AsgiToWsgi(later, loop="trio", lifespan="off") as app:
        assert fetch(app).body == b"x"
    assert done.is_set()  # close() waited for it


def test_a_background_task_that_does_not_end_is_cancelled_by_close() -> None:
    cancelled = threading.Event()

    async def stays(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x"))
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    with AsgiToWsgi(stays, loop="trio", lifespan="off", shutdown_timeout=0.05) as app:
        fetch(app)
    assert cancelled.is_set()


def test_an_adapter_nobody_holds_is_shut_down() -> None:
    stopped = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        stopped.set()
        await send({"type": "lifespan.shutdown.complete"})

    adapter = AsgiToWsgi(app, loop="trio")
    adapter.start()
    del adapter
    assert eventually(stopped.is_set)


def test_send_after_the_client_left_is_an_oserror() -> None:
    raised: list[Any] = []
    done = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        try:
            while True:
                await send(body(b"x" * 1000, more=True))
        except OSError as error:
            raised.append(error)
        finally:
            done.set()

    with AsgiToWsgi(app, loop="trio", lifespan="off") as adapter:
        peer = WsgiPeer(adapter)
        peer.read()
        peer.close()
        assert done.wait(BOUND)
    assert isinstance(raised[0], ClientDisconnected)


def test_calling_it_on_its_own_loops_thread_is_an_error_and_not_a_hang() -> None:
    inner = AsgiToWsgi(asgi_app(head(), body(b"x")), loop="trio", lifespan="off")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(RuntimeError, match="its own event loop"):
            fetch(inner)
        await send(head())
        await send(body(b"x"))

    with AsgiToWsgi(app, loop="trio", lifespan="off") as outer:
        assert fetch(outer).body == b"x"
    inner.close()


def test_trio_is_imported_by_those_only_who_ask_for_it() -> None:
    script = "import sys, anysgi; anysgi.AsgiToWsgi, anysgi.WsgiToAsgi; print('trio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "False"
