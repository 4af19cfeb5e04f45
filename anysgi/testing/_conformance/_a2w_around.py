"""What is between an ASGI app, its neighbours, and the server."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from contextvars import ContextVar
from typing import Any

from .._peer_events import Disconnect
from .._run import run
from .._scenario import Scenario
from ._a2w_probing import Echo, answered, http_only, respond
from ._check import BOUND, Checks, Make, equal, expect, made, unchanged

AROUND = Checks()
check = AROUND.add


@check
def the_environ_is_left_as_it_was(make: Make) -> None:
    """Nothing of the request is rewritten for outer middleware."""
    before: dict[str, Any] = {}

    def server_side(environ: Any, start_response: Any) -> Any:
        before.update(environ)
        body = b"".join(adapter(environ, start_response))
        unchanged({key: value for key, value in environ.items() if key in before}, before, "environ")
        return [body]

    with made(make, http_only(Echo())) as adapter:
        run(server_side, convention="wsgi", bound=BOUND).raise_for_exception()


@check
def requests_run_at_the_same_time(make: Make) -> None:
    """Two requests that wait for each other both end."""
    both = threading.Barrier(2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.to_thread(both.wait, BOUND / 2)
        await respond(send, b"met")

    found: list[bytes] = []
    with made(make, http_only(app)) as adapter:

        def one() -> None:
            found.append(run(adapter, convention="wsgi", bound=BOUND).body)

        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * BOUND)
    equal(found, [b"met"] * 2, "what the two requests got")


@check
def context_variables_of_the_server_reach_the_app(make: Make) -> None:
    """What outer middleware sets is visible inside."""
    who: ContextVar[str] = ContextVar("who", default="nobody")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, who.get().encode())

    def outer(environ: Any, start_response: Any) -> Any:
        who.set("me")
        return adapter(environ, start_response)

    with made(make, http_only(app)) as adapter:
        equal(run(outer, convention="wsgi", bound=BOUND).body, b"me", "the variable")


@check
def context_variables_of_a_request_stay_in_it(make: Make) -> None:
    """What an app sets for itself is not there when it is called again."""
    whose: ContextVar[str] = ContextVar("whose", default="nobody")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen = whose.get()
        whose.set("mine")
        await respond(send, seen.encode())

    with made(make, http_only(app)) as adapter:
        seen = [run(adapter, convention="wsgi", bound=BOUND).body for _ in range(2)]
    equal(seen[1], b"nobody", "what the second request sees of the first")


@check
def lifespan_runs_before_the_first_request(make: Make) -> None:
    """Startup opens what requests use, on the same loop (ASGI spec, "Lifespan")."""
    loops: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loops[scope["type"]] = asyncio.get_running_loop()
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await respond(send)

    with made(make, app) as adapter:
        run(adapter, convention="wsgi", bound=BOUND)
    expect("lifespan" in loops, "no startup")
    expect(loops["lifespan"] is loops.get("http"), "startup and request ran on different loops")


@check
def an_app_without_lifespan_is_served(make: Make) -> None:
    """An app may refuse the lifespan scope by an exception (ASGI spec, "Lifespan")."""
    equal(answered(make, Echo()).status, 200, "the status")


@check
def the_next_request_is_served_too(make: Make) -> None:
    """An adapter has no memory: after a failure, a lost client and a good request, all is as before."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/fail":
            raise LookupError("inside")
        await respond(send, b"x")

    with made(make, http_only(app)) as adapter:
        for scenario in (Scenario(target=b"/fail"), Scenario(peer=[Disconnect(after_messages=1)]), Scenario()):
            found = run(adapter, scenario, convention="wsgi", bound=BOUND)
    equal((found.status, found.body), (200, b"x"), "the response")


@check
def it_works_in_a_forked_worker(make: Make) -> None:
    """gunicorn --preload makes it in the parent and serves in the child, where the parent's threads do not exist."""
    if not hasattr(os, "fork"):
        return
    with made(make, http_only(Echo())) as adapter:
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            try:
                os._exit(0 if run(adapter, convention="wsgi", bound=BOUND).status == 200 else 1)
            finally:
                os._exit(1)
        expect(_exit_code(child) == 0, "the child does not answer")


def _exit_code(child: int) -> int:
    """Wait for a process, within the bound."""
    until = time.monotonic() + 2 * BOUND
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1
