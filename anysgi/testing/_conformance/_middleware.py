"""What a middleware must do in both conventions, whatever else it is for.

A layer that does nothing must pass all of these; one that changes the response in passing must, too, except where its
business is what the check looks at.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from typing import Any

from ...types import Convention
from .._peer_events import Disconnect
from .._programs import Program, Say
from .._run import run
from .._scenario import Scenario
from ._a2w_probing import respond, whole
from ._check import BOUND, Checks, Make, equal, expect, made, unchanged
from ._wsgi_probes import Body, Probe

WSGI_MIDDLEWARE, ASGI_MIDDLEWARE = Checks(), Checks()

UPLOAD = Scenario("POST", b"/a?b=1", {"X-Name": "value", "Cookie": "a=1"}, [b"ab", b"c"])
HELLO = Program((Say(b"hello"),), 200, ((b"content-type", b"text/plain"),), "whole")


# WSGI


@WSGI_MIDDLEWARE.add
def wsgi_passes_close_on(make: Make) -> None:
    """close() of the app's iterable is called once (PEP 3333, "Middleware: Components that Play Both Sides")."""
    body = Body([b"one", b"two"])
    with made(make, Probe(body)) as app:
        found = run(app, convention="wsgi", bound=BOUND)
    equal((body.closed, found.body), (1, b"onetwo"), "the pair of close() calls and body")
    expect(not found.leaks, f"leaves {[str(leak) for leak in found.leaks]}")


@WSGI_MIDDLEWARE.add
def wsgi_passes_close_on_when_the_client_leaves(make: Make) -> None:
    """Also when the server stops early (PEP 3333, "Specification Details")."""
    body = Body([b"one", b"two", b"three"])
    with made(make, Probe(body)) as app:
        found = run(app, Scenario(peer=[Disconnect(after_messages=2)]), convention="wsgi", bound=BOUND)
    equal(body.closed, 1, "the number of close() calls")
    expect(not found.leaks, f"leaves {[str(leak) for leak in found.leaks]}")


@WSGI_MIDDLEWARE.add
def wsgi_holds_no_chunk_back(make: Make) -> None:
    """A chunk goes on before the next is asked for (PEP 3333, "Middleware Handling of Block Boundaries")."""
    events: list[str] = []

    def pieces() -> Iterator[bytes]:
        for name in ("one", "two"):
            events.append(f"made {name}")
            yield name.encode()

    def server_side(environ: Any, start_response: Any) -> Any:
        iterable = app(environ, start_response)
        try:
            for chunk in iterable:
                if chunk:
                    events.append(f"sent {len(chunk) and 'one' if 'made two' not in events else 'two'}")
                yield chunk
        finally:
            getattr(iterable, "close", int)()

    with made(make, Probe(pieces())) as app:
        run(server_side, convention="wsgi", bound=BOUND).raise_for_exception()
    equal(events, ["made one", "sent one", "made two", "sent two"], "the order")


@WSGI_MIDDLEWARE.add
def wsgi_passes_write_on(make: Make) -> None:
    """start_response() returns a write() that sends (PEP 3333, "The write() Callable")."""

    def inner(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])(b"one")
        return [b"two"]

    with made(make, inner) as app:
        equal(run(app, convention="wsgi", bound=BOUND).raise_for_exception().body, b"onetwo", "the body")


@WSGI_MIDDLEWARE.add
def wsgi_passes_exc_info_on(make: Make) -> None:
    """An error handler inside replaces the head (PEP 3333, "Error Handling")."""

    def inner(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        error = ValueError("found")
        start_response("500 Oops", [], (ValueError, error, None))
        return [b"sorry"]

    with made(make, inner) as app:
        found = run(app, convention="wsgi", bound=BOUND).raise_for_exception()
    equal((found.status, found.body), (500, b"sorry"), "the response")


@WSGI_MIDDLEWARE.add
def wsgi_keeps_requests_apart(make: Make) -> None:
    """Nothing of one request shows in the next."""

    def inner(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read() + environ.get("HTTP_X_WHO", "").encode()]

    _kept_apart(make, inner, "wsgi")


# ASGI


@ASGI_MIDDLEWARE.add
def asgi_does_not_change_the_scope_it_was_given(make: Make) -> None:
    """It copies the scope before it changes something (ASGI spec, "Middleware")."""
    before: dict[str, Any] = {}

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"] = {"http.response.debug": {}}
        before.update(copy.deepcopy(scope))
        await app(scope, receive, send)
        unchanged(scope, before, "scope")

    with made(make, HELLO.asgi) as app:
        run(outer, UPLOAD, bound=BOUND).raise_for_exception()


@ASGI_MIDDLEWARE.add
def asgi_passes_other_scopes_on(make: Make) -> None:
    """Lifespan and whatever comes next reach the app (ASGI spec, "Connection Scope")."""
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def both(app: Any) -> None:
        for kind in ("lifespan", "unheard-of"):
            await app({"type": kind, "asgi": {"version": "3.0"}}, None, None)

    with made(make, inner) as app:
        asyncio.run(both(app))
    equal(seen, ["lifespan", "unheard-of"], "what the app saw")


@ASGI_MIDDLEWARE.add
def asgi_sends_the_head_without_waiting_for_the_body(make: Make) -> None:
    """A stream that has nothing to say yet still has a head: server-sent events wait for it."""
    order: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        order.append("the app goes on")
        await send({"type": "http.response.body", "body": b"x"})

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            order.append(message["type"])
            await send(message)

        await app(scope, receive, noting)

    with made(make, inner) as app:
        run(outer, bound=BOUND).raise_for_exception()
    equal(order[:2], ["http.response.start", "the app goes on"], "the order")


@ASGI_MIDDLEWARE.add
def asgi_holds_no_chunk_back(make: Make) -> None:
    """Each body message goes on before the app's send() returns (ASGI spec, "Response Body")."""
    order: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            order.append("next")
        await send({"type": "http.response.body"})

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message.get("body"):
                order.append("sent")
            await send(message)

        await app(scope, receive, noting)

    with made(make, inner) as app:
        run(outer, bound=BOUND).raise_for_exception()
    equal(order, ["sent", "next", "sent", "next"], "the order")


@ASGI_MIDDLEWARE.add
def asgi_passes_unknown_messages_on(make: Make) -> None:
    """Extensions come and go; their messages are between the app and the server."""
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.unheard_of"})
        await send({"type": "http.response.body", "body": b"x"})

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            seen.append(message["type"])

        await app(scope, receive, noting)

    with made(make, inner) as app:
        run(outer, bound=BOUND).raise_for_exception()
    expect("http.response.unheard_of" in seen, f"the server saw {seen}")


@ASGI_MIDDLEWARE.add
def asgi_tells_of_a_client_that_left(make: Make) -> None:
    """http.disconnect reaches the app, once the body was read (ASGI spec, "Disconnect")."""
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    with made(make, inner) as app:
        run(app, Scenario("POST", body=b"abc", peer=[Disconnect(after_chunks=1)]), convention="asgi", bound=BOUND)
    equal(seen, ["http.request", "http.disconnect"], "what the app received")


@ASGI_MIDDLEWARE.add
def asgi_raises_the_apps_own_exception(make: Make) -> None:
    """The same object, so that outer handlers recognise it."""
    error = LookupError("inside")

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        raise error

    with made(make, inner) as app:
        found = run(app, convention="asgi", bound=BOUND)
    expect(found.exception is error or found.status is not None, f"{found.exception!r} comes out")


@ASGI_MIDDLEWARE.add
def asgi_keeps_requests_apart(make: Make) -> None:
    """Nothing of one request shows in the next."""

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, await whole(receive) + dict(scope["headers"]).get(b"x-who", b""))

    _kept_apart(make, inner, "asgi")


def _kept_apart(make: Make, inner: Any, convention: Convention) -> None:
    """An app that sends body and header back is asked with a header, and then without."""
    asked = [Scenario("POST", headers={"X-Who": "ann"}, body=b"hello "), Scenario("POST", body=b"who")]
    with made(make, inner) as app:
        got = [run(app, scenario, convention=convention, bound=BOUND).body for scenario in asked]
    equal(got, [b"hello ann", b"who"], "what two requests got that sent 'hello ' with X-Who: ann, and 'who'")
