"""WsgiToAsgi across `os.fork`: pools are made anew in the child, whatever the parent did with them before."""

from __future__ import annotations

import sys

import pytest

from ._calling import run_script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")

PROGRAM = """
    import asyncio, os, threading
    from anysgi import WsgiToAsgi

    release, running = threading.Event(), threading.Event()

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/held":
            running.set()
            release.wait(10)
        start_response("200 OK", [])
        return [str(os.getpid()).encode()]

    adapter = WsgiToAsgi(app, threads=1)

    async def get(path="/"):
        body = []
        async def receive(): return {"type": "http.request"}
        async def send(message): body.append(message.get("body", b""))
        scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        await asyncio.wait_for(adapter(scope, receive, send), 10)
        return int(b"".join(body))

    def in_child():
        child = os.fork()
        if child == 0:
            try:
                ok = asyncio.run(get()) == os.getpid() and adapter.pool.stats().threads == 1
            finally:
                os._exit(0 if ok else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def test_a_pool_that_was_not_used_before_the_fork_works_in_the_child() -> None:
    assert run_script(PROGRAM + "\n    print(in_child())").split() == ["0"]


def test_a_pool_that_was_used_before_the_fork_works_in_both() -> None:
    script = """
    assert asyncio.run(get()) == os.getpid()
    print(in_child())
    assert asyncio.run(get()) == os.getpid()
    """
    assert run_script(PROGRAM + script).split() == ["0"]


def test_a_fork_while_the_only_thread_is_busy_does_not_leave_the_child_waiting_for_it() -> None:
    script = """
    def held(): asyncio.run(get("/held"))
    busy = threading.Thread(target=held)
    busy.start()
    running.wait(10)
    print(in_child())
    release.set()
    busy.join(10)
    """
    assert run_script(PROGRAM + script).split() == ["0"]
