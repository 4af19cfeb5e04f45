"""AsgiToWsgi across `os.fork` and at the end of a process: a loop per process, and a shutdown that is not forgotten."""

from __future__ import annotations

import sys

import pytest

from ._calling import run_script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")

PROGRAM = """
    import asyncio, io, os, sys, threading
    from anysgi import AsgiToWsgi

    def say(*words):
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            say("startup")
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await asyncio.to_thread(say, "shutdown")
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

    def get(adapter):
        environ = {"REQUEST_METHOD": "GET", "wsgi.errors": sys.stderr}
        return int(b"".join(adapter(environ, lambda *a: None)))

    def in_child():
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                ok = get(adapter) == get(adapter) == os.getpid()
                adapter.close()
            finally:
                os._exit(0 if ok else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    adapter = AsgiToWsgi(app)
"""


def lines(script: str) -> list[str]:
    return run_script(PROGRAM + script).split()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_an_app_wrapped_before_the_fork_works_in_the_child(loop: str) -> None:
    script = f"""
    adapter = AsgiToWsgi(app, loop="{loop}")
    assert threading.active_count() == 1  # nothing was started when it was wrapped
    say(in_child())
    """
    assert lines(script) == ["startup", "shutdown", "0"]


def test_an_app_that_served_before_the_fork_works_in_both() -> None:
    script = """
    assert get(adapter) == os.getpid()
    say(in_child())
    assert get(adapter) == os.getpid()
    """
    assert lines(script) == ["startup", "startup", "shutdown", "0", "shutdown"]


def test_a_fork_while_the_loop_starts_does_not_lock_the_child_out() -> None:
    script = """
    entered, release = threading.Event(), threading.Event()
    plain = app
    async def app(scope, receive, send):
        if scope["type"] == "lifespan" and os.getpid() == parent:
            entered.set()
            await asyncio.to_thread(release.wait, 10)
        await plain(scope, receive, send)
    parent, adapter = os.getpid(), AsgiToWsgi(app)
    first = threading.Thread(target=get, args=(adapter,))
    first.start()
    entered.wait(10)
    say(in_child())
    release.set()
    first.join(10)
    """
    assert lines(script) == ["startup", "shutdown", "0", "startup", "shutdown"]


@pytest.mark.parametrize("ending", ["", "    raise SystemExit(0)"], ids=["end of the script", "SystemExit"])
def test_the_end_of_the_process_shuts_the_app_down_once(ending: str) -> None:
    assert lines("\n    get(adapter)\n" + ending) == ["startup", "shutdown"]


def test_an_app_that_was_closed_is_not_shut_down_again_at_the_end() -> None:
    assert lines("\n    with adapter: get(adapter)\n") == ["startup", "shutdown"]


def test_a_background_task_is_finished_before_the_process_ends() -> None:
    script = """
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"1"})
        loops.append(asyncio.get_running_loop())
        await ending.wait()
        for turn in range(100):
            await asyncio.sleep(0)
        say("mail", "sent")
    loops, ending = [], asyncio.Event()
    get(holder := AsgiToWsgi(app, lifespan="off"))
    say("answered")
    threading._register_atexit(lambda: loops[0].call_soon_threadsafe(ending.set))  # the last one is the first to run
    """
    assert lines(script) == ["answered", "mail", "sent"]


def test_a_stuck_app_does_not_keep_the_process() -> None:
    script = """
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"1"})
        await asyncio.Event().wait()
    get(holder := AsgiToWsgi(app, lifespan="off", shutdown_timeout=0.05))
    say("answered")
    """
    assert lines(script) == ["answered"]


def test_async_generators_of_the_app_are_closed_before_the_loop() -> None:
    script = """
    kept = []
    async def ticks():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            say("finalised")
    async def app(scope, receive, send):
        kept.append(ticks())
        await anext(kept[0])
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"1"})
    get(holder := AsgiToWsgi(app, lifespan="off"))
    """
    assert lines(script) == ["finalised"]
