"""What becomes of a WSGI app's response."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

from .._run import run
from ._check import AHEAD, AHEAD_WITHIN, BOUND, Checks, Make, equal, expect, made
from ._w2a_probing import answered, exchange
from ._wsgi_probes import Body, Probe, large_pieces

RESPONSE = Checks()
check = RESPONSE.add


# The response


@check
def the_response_arrives_whole(make: Make) -> None:
    """Status, headers and body reach the server (PEP 3333, "The Application/Framework Side")."""
    found = answered(make, Probe([b"one", b"two"], "404 Not Found", [("X-A", "1")]))
    equal((found.status, found.body, found.header("x-a")), (404, b"onetwo", b"1"), "the response")


@check
def an_empty_iterable_sends_the_head(make: Make) -> None:
    """A response without a body still has a head (PEP 3333, "Handling the Content-Length Header")."""
    equal(answered(make, Probe((), "204 No Content")).status, 204, "the status")


@check
def header_names_are_lowercased(make: Make) -> None:
    """Response header names are lower case (ASGI spec, "Response Start")."""
    names = [name for name, _ in answered(make, Probe(headers=[("X-Mixed", "1")])).headers]
    expect(b"x-mixed" in names, f"the names are {names}")


@check
def repeated_response_headers_stay_apart_and_in_order(make: Make) -> None:
    """Set-Cookie may not be joined (RFC 9110 section 5.3)."""
    given = [("Set-Cookie", "b=2"), ("Set-Cookie", "a=1; Path=/")]
    found = [value for name, value in answered(make, Probe(headers=given)).headers if name.lower() == b"set-cookie"]
    equal(found, [b"b=2", b"a=1; Path=/"], "set-cookie")


@check
def header_values_may_be_latin_1(make: Make) -> None:
    """Native strings carry bytes as latin-1 (PEP 3333, "Unicode Issues")."""
    equal(answered(make, Probe(headers=[("X-Name", "caf\xe9")])).header("x-name"), b"caf\xe9", "the header")


@check
def a_status_without_a_reason_is_understood(make: Make) -> None:
    """The reason phrase is optional (RFC 9112 section 4)."""
    equal(answered(make, Probe(status="404")).status, 404, "the status")


@check
def no_more_is_sent_than_content_length_says(make: Make) -> None:
    """More would be taken for the next response (PEP 3333, "Handling the Content-Length Header")."""
    found = exchange(make, Probe([b"abc"], headers=[("Content-Length", "1")]))
    expect(len(found.body) <= 1, f"content-length says 1, {len(found.body)} bytes are sent")


@check
def a_chunk_is_sent_before_the_next_is_asked_for(make: Make) -> None:
    """Servers must not delay the transmission of any block (PEP 3333, "Buffering and Streaming")."""
    sent = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"one"
        yield b"two" if sent.wait(BOUND / 2) else b"too late"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def watching(message: Any) -> None:
            await send(message)
            if message.get("body"):
                sent.set()

        await adapter(scope, receive, watching)

    with made(make, Probe(pieces())) as adapter:
        equal(run(app, bound=BOUND).body, b"onetwo", "the body")


@check
def a_slow_client_holds_the_app_up(make: Make) -> None:
    """While the client does not read, a bounded number of chunks is produced, or memory fills up."""
    body = Body(large_pieces())
    ahead = [0]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def slow(message: Any) -> None:
            if message["type"] == "http.response.body":
                try:
                    await asyncio.to_thread(body.ahead.wait, AHEAD_WITHIN)  # the request may be at its end by then
                finally:
                    ahead.append(body.pulled)
                raise ConnectionResetError("enough")
            await send(message)

        try:
            await adapter(scope, receive, slow)
        except ConnectionResetError:
            pass

    with made(make, Probe(body)) as adapter:
        run(app, bound=BOUND)
    expect(max(ahead) < AHEAD, f"{AHEAD} chunks of 64 KiB and more were produced before one was sent")


# start_response


@check
def the_head_waits_for_the_first_chunk(make: Make) -> None:
    """An error found while the body is made may still replace the head (PEP 3333, "The start_response() Callable")."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b""
        error = ValueError("found late")
        start_response("500 Oops", [], (ValueError, error, None))
        yield b"sorry"

    found = answered(make, app)
    equal((found.status, found.body), (500, b"sorry"), "the response")


@check
def exc_info_replaces_the_head(make: Make) -> None:
    """Before the head is out, the second call counts (PEP 3333, "Error Handling")."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("X-A", "1")])
        error = ValueError("found")
        start_response("500 Oops", [], (ValueError, error, None))
        return [b"sorry"]

    found = answered(make, app)
    equal((found.status, found.header("x-a"), found.body), (500, None, b"sorry"), "the response")


@check
def exc_info_is_raised_once_the_head_is_out(make: Make) -> None:
    """Then it is too late, and the app must stop (PEP 3333, "Error Handling")."""
    raised = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"sent"
        error = ValueError("found late")
        try:
            start_response("500 Oops", [], (ValueError, error, None))
        except ValueError as again:
            raised.append(again is error)
            raise
        yield b"more"

    found = exchange(make, app)
    equal(raised, [True], "what start_response() raised")
    expect(not found.complete, "the response ends as if it were whole")


@check
def start_response_may_be_called_once(make: Make) -> None:
    """Twice without exc_info is an error (PEP 3333, "The start_response() Callable")."""
    refused = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            start_response("404 No", [])
        except Exception as error:
            refused.append(error)
        return [b"x"]

    exchange(make, app)
    expect(refused, "the second call is accepted")


@check
def a_body_without_a_head_is_an_error(make: Make) -> None:
    """start_response() comes before the first byte (PEP 3333, "The start_response() Callable")."""
    found = exchange(make, lambda environ, start_response: [b"x"])
    sent = [event.message["type"] for event in found.messages if event.by == "app"]
    expect(sent[:1] != ["http.response.body"], "a body was sent without a head")
    expect(found.exception or found.status == 500, "no error is raised or answered")


@check
def write_sends_before_the_iterable(make: Make) -> None:
    """`write()` is how older apps send (PEP 3333, "The write() Callable")."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])(b"one")
        return [b"two"]

    equal(answered(make, app).body, b"onetwo", "the body")
