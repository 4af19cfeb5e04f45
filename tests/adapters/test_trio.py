"""Both adapters on trio: the same promises as on asyncio, with nothing of asyncio about."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.exceptions import ClientDisconnected, LifespanError
from anysgi.testing import Disconnect, Exchange, Scenario, SendFails, arun, run
from tests.conftest import BOUND, eventually

from ._calling import WsgiPeer, asgi_app, body, fetch, head
from ._driving import wsgi_app

if TYPE_CHECKING:
    from collections.abc import Callable


def on_trio(work: Callable[[], Any]) -> Any:
    async def bounded() -> Any:
        with trio.fail_after(BOUND):
            return await work()

    return trio.run(bounded)


def serve(app: Any, scenario: Scenario | None = None) -> Exchange:
    """One request in a run of its own."""
    exchange: Exchange = on_trio(partial(arun, app, scenario, convention="asgi", bound=BOUND))
    return exchange.raise_for_exception()


# WsgiToAsgi


def test_a_reply_in_one_piece() -> None:
    found = serve(WsgiToAsgi(wsgi_app(b"hello")))
    assert (found.status, found.body) == (200, b"hello")
    assert [event.message["type"] for event in found.messages] == ["http.response.start", "http.response.body"]


def test_a_stream_and_an_upload_larger_than_the_windows() -> None:
    def echo(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        while piece := environ["wsgi.input"].read(1000):
            yield piece

    parts = [bytes([n]) * 1000 for n in range(50)]
    assert serve(WsgiToAsgi(echo, window=2000), Scenario("POST", body=parts)).body == b"".join(parts)


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

    async def cancels(scope: Any, receive: Any, send: Any) -> None:
        with trio.CancelScope() as request:

            async def sending(message: Any) -> None:
                await send(message)
                if message.get("body"):
                    request.cancel()

            await WsgiToAsgi(app)(scope, receive, sending)

    serve(cancels)
    assert app.closed.wait(BOUND)


def test_send_that_fails_raises_its_own_error_and_closes_the_stream() -> None:
    app = Endless()

    with pytest.raises(BrokenPipeError) as caught:
        serve(WsgiToAsgi(app), Scenario(peer=[SendFails(at=2, error=BrokenPipeError)]))
    assert type(caught.value) is BrokenPipeError  # no group, no wrapper
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

    async def work() -> list[Exchange]:
        app = WsgiToAsgi(slow, threads=1, queue_timeout=0.05)
        served: list[Exchange] = []

        async def request() -> None:
            served.append(await arun(app))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(request)
            await trio.testing.wait_all_tasks_blocked()
            await request()
            gate.set()
        return served

    refused, first = on_trio(work)
    assert (first.body, refused.status) == (b"done", 503)


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
            exchange = await arun(app)
            give.send_nowait({"type": "lifespan.shutdown"})
        return exchange.body, answers, trio.lowlevel.current_trio_token()

    content, answers, token = on_trio(work)
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
        while not runtimes[0].closed:  # which nobody announces
            await trio.sleep(0.001)
        done.set()

    with AsgiToWsgi(slow, loop="trio", lifespan="off", timeout=0.05, grace=0.01) as app:
        assert fetch(app).status.startswith("504")
    with AsgiToWsgi(later, loop="trio", lifespan="off") as app:
        runtimes = [app.homes.start_own()]
        assert fetch(app).body == b"x"
        assert not done.is_set()
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
        run(adapter, Scenario(peer=[Disconnect(after_messages=2)]))
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
