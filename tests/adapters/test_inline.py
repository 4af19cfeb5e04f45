"""`mode="inline"`: no thread but the server's, a loop and a lifespan for each; nothing is left after a response."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import types
from typing import Any

import pytest

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.exceptions import LifespanError
from tests.conftest import BOUND

from ._calling import WsgiPeer, asgi_app, body, fetch, head, run_script
from ._driving import serve


def inline(app: Any, **options: Any) -> AsgiToWsgi:
    return AsgiToWsgi(app, mode="inline", **{"lifespan": "off", **options})


async def turns(number: int) -> None:
    """Let the loop turn: work that takes a while, by no clock."""
    for _ in range(number):
        await asyncio.sleep(0)


class App:
    """An ASGI app with a lifespan that notes threads, loops and phases."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.places: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.places.append((threading.current_thread(), asyncio.get_running_loop()))
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                self.events.append(phase)
                scope["state"]["phase"] = phase
                await send({"type": f"lifespan.{phase}.complete"})
            return
        self.events.append("request")
        assert scope["state"] == {"phase": "startup"}
        await asyncio.sleep(0)
        await send(head())
        await send(body(b"x"))


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_app_runs_on_the_servers_thread_and_its_loop_lasts(loop: Any) -> None:
    app, before = App(), threading.active_count()
    with inline(app, lifespan="on", loop=loop) as adapter:
        assert [fetch(adapter).body for _ in range(3)] == [b"x"] * 3
        assert threading.active_count() == before
    assert app.events == ["startup", "request", "request", "request", "shutdown"]
    assert {thread for thread, _ in app.places} == {threading.current_thread()}
    assert len({id(place) for _, place in app.places}) == 1
    assert loop in type(app.places[0][1]).__module__ or loop == "asyncio"


def in_thread(work: Any) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join(BOUND)
    return results[0]


def test_each_thread_has_a_loop_and_a_lifespan_and_a_thread_that_ended_is_shut_down() -> None:
    app = App()
    adapter = inline(app, lifespan="on")
    fetch(adapter)
    in_thread(lambda: fetch(adapter).body)
    assert app.events == ["startup", "request"] * 2
    in_thread(lambda: fetch(adapter).body)
    assert app.events == ["startup", "request", "startup", "request", "shutdown", "startup", "request"]
    adapter.close()
    assert app.events[-2:] == ["shutdown", "shutdown"]
    fetch(adapter)
    assert app.events[-2:] == ["startup", "request"]
    adapter.close()


def test_bodies_larger_than_the_window_pass_both_ways() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send(body(message["body"], more=more))

    adapter = inline(echo, window=1000)
    content = bytes(range(256)) * 100
    assert fetch(adapter, "POST", body=content).body == content
    adapter.close()


def test_a_stream_arrives_piece_by_piece() -> None:
    async def pieces(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        for n in range(3):
            await send(body(b"%d" % n, more=True))
            await taken[n].wait()
        await send(body())

    taken = [asyncio.Event() for _ in range(3)]
    adapter = inline(pieces)
    peer = WsgiPeer(adapter)
    for n in range(3):
        assert peer.read() == b"%d" % n
        taken[n].set()  # here the loop stands still
    assert peer.finish().body == b"012"
    adapter.close()


def test_background_tasks_run_to_their_end_in_close() -> None:
    done: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x"))
        await turns(100)
        done.append("background")

    adapter = inline(app)
    peer = WsgiPeer(adapter)
    assert len(peer.iterable) == 1  # servers read a Content-Length from that
    assert peer.read() == b"x"
    assert done == []
    peer.close()
    assert done == ["background"]
    adapter.close()


def test_a_client_that_leaves_ends_the_app_in_close() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(head())
        await send(body(b"x", more=True))
        try:
            await receive()
            seen.append((await receive())["type"])
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    adapter = inline(app, grace=0.01)
    peer = WsgiPeer(adapter)
    peer.read()
    peer.close()
    assert seen == ["http.disconnect", "cancelled"]
    adapter.close()


def test_errors_before_and_after_the_response(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/late":
            await send(head())
            await send(body(b"x"))
            await turns(100)
        raise LookupError("in the app")

    adapter = inline(fails)
    peer = fetch(adapter)
    assert peer.status.startswith("500")
    assert "in the app" in peer.errors
    assert fetch(adapter, "GET", "/late").body == b"x"
    assert "after its response was complete" in caplog.text
    adapter.close()
    raising = inline(fails, raise_app_errors=True)
    with pytest.raises(LookupError):
        fetch(raising)
    raising.close()


def test_a_timeout_is_answered_504_and_the_app_is_told() -> None:
    ended: list[str] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    adapter = inline(slow, timeout=0.02, grace=0.01)
    assert fetch(adapter).status.startswith("504")
    assert ended == ["ended"]
    adapter.close()


def test_a_startup_that_fails_is_raised_at_every_request() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    adapter = inline(fails, lifespan="on")
    for _ in range(2):
        with pytest.raises(LifespanError, match="no database"):
            fetch(adapter)
    adapter.close()


def test_a_file_is_still_the_servers_own_file_wrapper(tmp_path: Any) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")

    class Wrapper:
        def __init__(self, filelike: Any, block_size: int = 0) -> None:
            self.filelike, self.close = filelike, filelike.close

        def __iter__(self) -> Any:
            return iter([self.filelike.read()])

    adapter = inline(asgi_app(head(), {"type": "http.response.pathsend", "path": str(path)}))
    peer = WsgiPeer(adapter, wsgi_file_wrapper=Wrapper)
    assert type(peer.iterable) is Wrapper
    assert peer.finish().body == b"content"
    adapter.close()


def test_close_from_another_thread_takes_turns_with_a_request() -> None:
    """A stream under way is finished, whichever thread makes the loop turn."""
    gate, loops = asyncio.Event(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loops.append(asyncio.get_running_loop())
        await send(head())
        await send(body(b"first ", more=True))
        await gate.wait()
        await send(body(b"last"))

    adapter = inline(app)
    peer = WsgiPeer(adapter)
    peer.read()
    closing = threading.Thread(target=adapter.close)
    closing.start()
    loops[0].call_soon_threadsafe(gate.set)
    assert peer.finish().body == b"first last"
    closing.join(BOUND)
    assert not closing.is_alive()


def test_what_would_end_the_process_does_not() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def exits() -> None:
            raise SystemExit

        await send(head())
        task = asyncio.create_task(exits())
        await asyncio.wait([task])
        task.exception()
        await send(body(b"x"))

    adapter = inline(app)
    assert fetch(adapter).body == b"x"
    adapter.close()


def test_inside_itself_it_is_an_error_and_not_a_hang() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(RuntimeError, match="its own event loop"):
            fetch(adapter)
        await send(head())
        await send(body(b"x"))

    adapter = inline(app)
    assert fetch(adapter).body == b"x"
    adapter.close()


@pytest.mark.anyio
async def test_inside_an_asgi_server_it_runs_on_the_servers_loop() -> None:
    loops: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loops.append(asyncio.get_running_loop())
        await send(head())
        await send(body(b"x"))

    adapter = inline(app)
    assert (await serve(WsgiToAsgi(adapter))).body == b"x"
    assert loops == [asyncio.get_running_loop()]
    await asyncio.to_thread(adapter.close)


def test_an_adapter_nobody_holds_is_shut_down() -> None:
    app = App()
    adapter = inline(app, lifespan="on")
    fetch(adapter)
    del adapter
    gc.collect()
    assert app.events[-1] == "shutdown"


def test_trio_and_greenlets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="stand still"):
        inline(App(), loop="trio")
    patched = types.ModuleType("gevent.monkey")
    patched.is_module_patched = lambda name: True  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gevent.monkey", patched)
    with pytest.raises(RuntimeError, match="needs real threads"):
        fetch(inline(App()))


PROGRAM = r"""
import os, sys
from anysgi import AsgiToWsgi

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            os.write(1, phase.encode() + b"\n")
            await send({"type": f"lifespan.{phase}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})

adapter = AsgiToWsgi(app, mode="inline")

def request():
    import io
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.errors": io.StringIO(), "wsgi.input": io.BytesIO()}
    response = adapter(environ, lambda *args: None)
    os.write(1, b"".join(response) + b"\n")
    response.close()
"""


def test_the_end_of_the_process_shuts_the_app_down() -> None:
    assert run_script(PROGRAM + "\nrequest()\n") == "startup\nx\nshutdown\n"


def test_a_forked_child_has_a_lifespan_of_its_own() -> None:
    said = run_script(PROGRAM + "\nrequest()\npid = os.fork()\nrequest()\nif pid: os.waitpid(pid, 0)\n")
    assert sorted(said.split("\n")[2:-1]) == sorted(["startup", "x", "shutdown", "x", "shutdown"])
