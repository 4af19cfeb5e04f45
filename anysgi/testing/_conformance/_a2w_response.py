"""What becomes of an ASGI app's response, and of a client that leaves."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from .._peer_events import Disconnect
from .._run import run
from .._scenario import Scenario
from ._a2w_probing import Echo, answered, exchange, http_only, respond, whole
from ._check import AHEAD, AHEAD_WITHIN, BOUND, Checks, Make, equal, expect, made

RESPONSE = Checks()
check = RESPONSE.add


# The response


@check
def the_response_arrives_whole(make: Make) -> None:
    """Status, headers in order, and body (ASGI spec, "Response Start")."""
    headers = [(b"set-cookie", b"b=2"), (b"x-a", b"\xe9"), (b"set-cookie", b"a=1")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    found = answered(make, app)
    kept = [(name.lower(), value) for name, value in found.headers if name.lower() in (b"set-cookie", b"x-a")]
    equal((found.status, kept, found.body), (404, headers, b"onetwo"), "the response")


@check
def headers_may_be_missing(make: Make) -> None:
    """`headers` is optional in a response (ASGI spec, "Response Start")."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x"})

    equal(answered(make, app).body, b"x", "the body")


@check
def body_keys_may_be_missing(make: Make) -> None:
    """`body` and `more_body` are optional (ASGI spec, "Response Body")."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    equal(answered(make, app).status, 204, "the status")


@check
def an_app_that_sends_nothing_is_an_error(make: Make) -> None:
    """It returned without a response: 500 or an exception, never a wait."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        return

    found = exchange(make, app)
    expect(found.status == 500 or found.exception is not None, f"the status is {found.status}")


@check
def an_app_that_sends_a_head_alone_is_an_error(make: Make) -> None:
    """A response needs a body message (ASGI spec, "Response Start"): no clean end, and never a wait."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    found = exchange(make, app)
    expect(found.status == 500 or found.exception is not None, "the response looks whole")


@check
def an_error_before_the_head_is_seen(make: Make) -> None:
    """500 or the exception itself (ASGI spec, "Applications")."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("inside")

    found = exchange(make, app)
    expect(found.status == 500 or found.exception is not None, f"the status is {found.status}")


@check
def an_error_amid_the_body_cuts_the_response(make: Make) -> None:
    """A broken body must not look whole."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise LookupError("inside")

    expect(not exchange(make, app).complete, "the response ends as if it were whole")


@check
def a_message_out_of_turn_raises_in_the_app(make: Make) -> None:
    """send() raises for what cannot be sent (ASGI spec, "Error Handling")."""
    refused = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.respons.start", "status": 200, "headers": []})
        except Exception as error:
            refused.append(error)
        await respond(send)

    exchange(make, app)
    expect(refused, "a message of an unknown type is accepted")


@check
def a_chunk_leaves_before_the_app_goes_on(make: Make) -> None:
    """Body data is flushed before send() returns, or soon after (ASGI spec, "Response Body")."""
    taken = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        in_time = await asyncio.to_thread(taken.wait, BOUND / 2)
        await send({"type": "http.response.body", "body": b"two" if in_time else b"too late"})

    def server_side(environ: Any, start_response: Any) -> Any:
        for chunk in adapter(environ, start_response):
            yield chunk
            if chunk:
                taken.set()

    with made(make, http_only(app)) as adapter:
        equal(run(server_side, convention="wsgi", bound=BOUND).body, b"onetwo", "the body")


@check
def a_slow_client_holds_the_app_up(make: Make) -> None:
    """send() waits while the server does not take what was sent, or memory fills up."""
    sent, ahead = 0, threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for sent in range(1, 10 * AHEAD):
            await send({"type": "http.response.body", "body": b"z" * 65536, "more_body": True})
            if sent == AHEAD:
                ahead.set()
        await send({"type": "http.response.body"})

    def server_side(environ: Any, start_response: Any) -> Any:
        iterable = adapter(environ, start_response)
        try:
            next(iter(iterable))
            ahead.wait(AHEAD_WITHIN)
        finally:
            getattr(iterable, "close", int)()
        start_response("200 OK", [], _exc_info())
        return []

    with made(make, http_only(app)) as adapter:
        run(server_side, convention="wsgi", bound=BOUND)
    expect(sent < AHEAD, f"{AHEAD} chunks of 64 KiB and more were sent before two were taken")


def _exc_info() -> Any:
    return (RuntimeError, RuntimeError("enough"), None)


# The client leaves


@check
def close_ends_the_app(make: Make) -> None:
    """A server that stops early calls close(): the app's task must not go on for ever (PEP 3333)."""
    ended = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    with made(make, http_only(app)) as adapter:
        run(adapter, Scenario(peer=[Disconnect(after_messages=3)]), convention="wsgi", bound=2 * BOUND)
        expect(ended.wait(2 * BOUND), "the app goes on for nobody")


@check
def close_is_a_disconnect(make: Make) -> None:
    """An app that waits in receive() is told (ASGI spec, "Disconnect")."""
    told: list[str] = []
    over = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        try:
            told.append((await receive())["type"])
        finally:
            over.set()

    def server_side(environ: Any, start_response: Any) -> Any:
        iterable = adapter(environ, start_response)
        next(iter(iterable))
        getattr(iterable, "close", int)()
        start_response("200 OK", [], _exc_info())
        return []

    with made(make, http_only(app)) as adapter:
        run(server_side, convention="wsgi", bound=2 * BOUND)
        over.wait(2 * BOUND)
    equal(told, ["http.disconnect"], "what receive() said")


@check
def a_short_upload_is_a_disconnect(make: Make) -> None:
    """Servers end wsgi.input early when the client left: that is no end, and no endless stream of nothing."""
    app = Echo()
    upload = Scenario("POST", headers={"Content-Length": "10"}, body=b"abc", peer=[Disconnect(after_bytes=3)])
    exchange(make, app, Scenario("POST", headers=upload.headers, body=b"abc", peer=upload.peer, like="gunicorn"))
    equal(app.outcome, ["http.disconnect"], "what receive() said")


@check
def a_broken_upload_is_a_disconnect(make: Make) -> None:
    """Other servers raise an OSError from wsgi.input (research rule 32)."""
    app = Echo()
    exchange(make, app, Scenario("POST", body=b"abcdef", peer=[Disconnect(after_bytes=3)]))
    equal(app.outcome, ["http.disconnect"], "what receive() said")
