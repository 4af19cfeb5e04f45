"""What is between a WSGI app, its neighbours, and the server."""

from __future__ import annotations

import asyncio
import copy
import threading
from contextvars import ContextVar
from typing import Any

from .._exchange import Exchange
from .._peer_events import SendFails
from .._run import arun, run
from .._scenario import Scenario
from ._check import BOUND, Checks, Make, equal, expect, made, unchanged
from ._w2a_probing import exchange
from ._wsgi_probes import Probe

AROUND = Checks()
check = AROUND.add


@check
def requests_run_at_the_same_time(make: Make) -> None:
    """Two requests that wait for each other both end: they are not lined up behind one thread."""
    both = threading.Barrier(2)

    def app(environ: Any, start_response: Any) -> Any:
        both.wait(BOUND / 2)
        start_response("200 OK", [])
        return [b"met"]

    async def two() -> list[Exchange]:
        with made(make, app) as adapter:
            return await asyncio.gather(*(arun(adapter, convention="asgi", bound=BOUND) for _ in range(2)))

    equal([found.body for found in asyncio.run(two())], [b"met"] * 2, "what the two requests got")


@check
def the_scope_is_left_as_it_was(make: Make) -> None:
    """A scope is not changed in place (ASGI spec, "Middleware")."""
    before: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        before.update(copy.deepcopy(scope))
        await adapter(scope, receive, send)
        unchanged(scope, before, "scope")

    with made(make, Probe()) as adapter:
        run(app, Scenario(headers={"a": "b"}), bound=BOUND).raise_for_exception()


@check
def context_variables_of_the_server_reach_the_app(make: Make) -> None:
    """What outer middleware sets is visible inside."""
    who: ContextVar[str] = ContextVar("who", default="nobody")

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [who.get().encode()]

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        who.set("me")
        await adapter(scope, receive, send)

    with made(make, app) as adapter:
        equal(run(outer, bound=BOUND).body, b"me", "the variable")


@check
def context_variables_of_a_request_stay_in_it(make: Make) -> None:
    """What an app sets for itself is not there when it is called again."""
    whose: ContextVar[str] = ContextVar("whose", default="nobody")

    def app(environ: Any, start_response: Any) -> Any:
        seen = whose.get()
        whose.set("mine")
        start_response("200 OK", [])
        return [seen.encode()]

    with made(make, app) as adapter:
        seen = [run(adapter, convention="asgi", bound=BOUND).body for _ in range(2)]
    equal(seen[1], b"nobody", "what the second request sees of the first")


@check
def an_error_before_the_head_reaches_the_server(make: Make) -> None:
    """The server logs it and answers 500 (ASGI spec, "Applications")."""

    def app(environ: Any, start_response: Any) -> Any:
        raise LookupError("inside")

    found = exchange(make, app)
    expect(
        isinstance(found.exception, LookupError) or found.status == 500, f"gives {found.status}, {found.exception!r}"
    )


@check
def an_error_amid_the_body_cuts_the_response(make: Make) -> None:
    """A broken body must not look whole (PEP 3333, "Error Handling")."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"half"
        raise LookupError("inside")

    found = exchange(make, app)
    expect(not found.complete, "the response ends as if it were whole")


@check
def an_unknown_scope_is_refused(make: Make) -> None:
    """By an exception, so that servers know (ASGI spec, "Connection Scope")."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await adapter({**scope, "type": "strange"}, receive, send)
        except Exception:
            return
        raise AssertionError("it is accepted")

    with made(make, Probe()) as adapter:
        run(app, bound=BOUND).raise_for_exception()


@check
def the_next_request_is_served_too(make: Make) -> None:
    """An adapter has no memory: after a failure, a lost client and a good request, all is as before."""

    def app(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/fail":
            raise LookupError("inside")
        start_response("200 OK", [])
        return [b"x"] * 5

    with made(make, app) as adapter:
        for scenario in (Scenario(target=b"/fail"), Scenario(peer=[SendFails(2)]), Scenario(), Scenario()):
            found = run(adapter, scenario, convention="asgi", bound=BOUND)
        equal((found.status, found.body), (200, b"xxxxx"), "the response")
