"""What an adapter from WSGI to ASGI must do: it is the server of PEP 3333 to its app, and an app to an ASGI server."""

from __future__ import annotations

import asyncio
import copy
import io
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from wsgiref import validate

from .._exchange import Exchange
from .._peer_events import Disconnect, SendBlocks, SendFails
from .._run import arun, run
from .._scenario import Scenario
from ._check import BOUND, Checks, Make, equal, expect, made
from ._wsgi_probes import Body, Probe, large_pieces

WSGI_TO_ASGI = Checks()
check = WSGI_TO_ASGI.add


def exchange(make: Make, app: Any, scenario: Scenario | None = None) -> Exchange:
    """Run an app inside of the adapter."""
    with made(make, app) as adapter:
        return run(adapter, scenario, convention="asgi", bound=BOUND)


def answered(make: Make, app: Any, scenario: Scenario | None = None) -> Exchange:
    """The same, with a response that came to its end."""
    found = exchange(make, app, scenario)
    expect(found.exception is None, f"raises {found.exception!r}")
    expect(found.complete, "the response has no end")
    return found


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
                await asyncio.sleep(0.2)  # long enough for whoever runs ahead
                ahead.append(body.pulled)
                raise ConnectionResetError("enough")
            await send(message)

        try:
            await adapter(scope, receive, slow)
        except ConnectionResetError:
            pass

    with made(make, Probe(body)) as adapter:
        run(app, bound=BOUND)
    expect(max(ahead) < 200, f"{max(ahead)} chunks of 64 KiB were produced before one was sent")


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


# close()


@check
def close_is_called_once_after_the_last_chunk(make: Make) -> None:
    """The iterable's close() is called whatever happens (PEP 3333, "Specification Details")."""
    body = Body()
    answered(make, Probe(body))
    equal(body.closed, 1, "the number of close() calls")


@check
def close_is_called_once_after_an_error(make: Make) -> None:
    """Also when the app raises amid its body (PEP 3333, "Specification Details")."""

    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("amid the body")

    body = Body(pieces())
    exchange(make, Probe(body))
    equal(body.closed, 1, "the number of close() calls")


@check
def close_is_called_once_when_send_fails(make: Make) -> None:
    """Also when the client is gone (PEP 3333, "Specification Details"; ASGI spec 2.4, "send exception")."""
    body = Body(large_pieces())
    exchange(make, Probe(body), Scenario(peer=[SendFails(at=3)]))
    expect(body.gone.wait(BOUND), "close() is never called")
    equal(body.closed, 1, "the number of close() calls")


@check
def a_client_that_left_is_noticed_by_receive(make: Make) -> None:
    """uvicorn and hypercorn are silent in send(): only receive() tells (ASGI spec, "Disconnect")."""
    stop = threading.Event()

    def endless() -> Iterator[bytes]:
        while not stop.wait(0.002):
            yield b"tick"

    body = Body(endless())
    try:
        exchange(make, Probe(body), Scenario(peer=[Disconnect(after_messages=3)], like="uvicorn"))
        expect(body.gone.wait(BOUND), "the app goes on for nobody")
    finally:
        stop.set()


@check
def a_cancelled_request_closes_the_iterable(make: Make) -> None:
    """A server may cancel the app; the iterable is closed all the same (PEP 3333, "Specification Details")."""
    body = Body(large_pieces())

    async def cancels() -> None:
        with made(make, Probe(body)) as adapter:
            blocked = Scenario(peer=[SendBlocks(at=2)])
            task = asyncio.create_task(arun(adapter, blocked, convention="asgi", bound=BOUND))
            for _ in range(200):
                if body.pulled:
                    break
                await asyncio.sleep(0.005)
            inner = [t for t in asyncio.all_tasks() if t.get_name() == "anysgi.testing: the app"]
            for t in inner:
                t.cancel()
            await asyncio.wait([task], timeout=BOUND)

    asyncio.run(cancels())
    expect(body.gone.wait(BOUND), "close() is never called")


@check
def iteration_and_close_stay_on_one_thread(make: Make) -> None:
    """Thread-local state such as database connections would be lost (research rule 67)."""
    body = Body([b"one", b"two"])

    def app(environ: Any, start_response: Any) -> Any:
        body.threads.add(threading.get_ident())
        start_response("200 OK", [])
        return body

    answered(make, app)
    equal(len(body.threads), 1, "the number of threads")


# The request


@check
def the_environ_is_legal(make: Make) -> None:
    """All values have the types of PEP 3333 ("environ Variables"), as wsgiref.validate checks them."""
    app = Probe()
    answered(make, app, Scenario("POST", b"/a?b=1", {"Content-Type": "text/plain"}, b"abc"))
    validate.check_environ(app.environ)  # type: ignore[attr-defined]  # typeshed hides it; it is documented by use
    equal(app.environ["wsgi.version"], (1, 0), "wsgi.version")


@check
def every_cgi_value_is_a_string(make: Make) -> None:
    """SERVER_PORT included (PEP 3333, "environ Variables")."""
    app = Probe()
    answered(make, app)
    wrong = {key: value for key, value in app.environ.items() if key.isupper() and not isinstance(value, str)}
    expect(not wrong, f"{wrong!r} are no strings")


@check
def a_server_without_an_address_is_understood(make: Make) -> None:
    """`server` may be None (ASGI spec, "HTTP Connection Scope")."""
    app = Probe()
    answered(make, app, Scenario(server=None))
    expect(app.environ["SERVER_NAME"] and app.environ["SERVER_PORT"].isdigit(), "SERVER_NAME or SERVER_PORT is empty")


@check
def a_unix_socket_has_a_port_all_the_same(make: Make) -> None:
    """`server` may be (path, None) (ASGI spec, "HTTP Connection Scope"); SERVER_PORT is a number."""
    app = Probe()
    answered(make, app, Scenario(server=("/run/sock", None)))
    expect(str(app.environ["SERVER_PORT"]).isdigit(), f"SERVER_PORT is {app.environ['SERVER_PORT']!r}")


@check
def a_mount_ends_at_a_segment(make: Make) -> None:
    """/apix is not inside of /api (ASGI spec, "WSGI Compatibility")."""
    app = Probe()
    answered(make, app, Scenario(target=b"/apix", root_path="/api"))
    expect(app.environ["PATH_INFO"].startswith("/"), f"PATH_INFO is {app.environ['PATH_INFO']!r}")


@check
def a_mount_is_split_off(make: Make) -> None:
    """SCRIPT_NAME is root_path, PATH_INFO the rest (ASGI spec, "WSGI Compatibility")."""
    app = Probe()
    answered(make, app, Scenario(target=b"/api/x", root_path="/api"))
    equal((app.environ["SCRIPT_NAME"], app.environ["PATH_INFO"]), ("/api", "/x"), "SCRIPT_NAME and PATH_INFO")


@check
def paths_keep_their_bytes(make: Make) -> None:
    """PATH_INFO carries the decoded bytes as latin-1 (PEP 3333, "Unicode Issues")."""
    app = Probe()
    answered(make, app, Scenario(target=b"/caf%C3%A9%2F%25"))
    equal(app.environ["PATH_INFO"], "/caf\xc3\xa9/%", "PATH_INFO")


@check
def a_query_may_hold_any_byte(make: Make) -> None:
    """Clients send bytes beyond ASCII in queries; they are no reason to fail (PEP 3333, "Unicode Issues")."""
    app = Probe()
    answered(make, app, Scenario(target=b"/?q=\xe9"))
    equal(app.environ["QUERY_STRING"], "q=\xe9", "QUERY_STRING")


@check
def split_cookies_are_joined_by_semicolons(make: Make) -> None:
    """HTTP/2 sends them apart (RFC 9113 section 8.2.3)."""
    app = Probe()
    answered(make, app, Scenario(headers=[(b"cookie", b"a=1"), (b"cookie", b"b=2")], http_version="2"))
    equal(app.environ["HTTP_COOKIE"], "a=1; b=2", "HTTP_COOKIE")


@check
def header_names_are_compared_without_case(make: Make) -> None:
    """Servers should lowercase them, not must (ASGI spec, "HTTP Connection Scope")."""
    inner = Probe(read=lambda body: body.read())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["headers"] = [(b"Host", b"x"), (b"Content-Length", b"3"), (b"Content-Type", b"text/plain")]
        await adapter(scope, receive, send)

    with made(make, inner) as adapter:
        run(app, Scenario("POST", body=b"abc"), bound=BOUND).raise_for_exception()
    found = {key: inner.environ.get(key) for key in ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_CONTENT_LENGTH")}
    equal(found, {"CONTENT_LENGTH": "3", "CONTENT_TYPE": "text/plain", "HTTP_CONTENT_LENGTH": None}, "the environ")


@check
def an_underscore_does_not_forge_a_header(make: Make) -> None:
    """`X_Real_Ip` would become HTTP_X_REAL_IP as well (CVE-2015-0219)."""
    app = Probe()
    answered(make, app, Scenario(headers=[(b"x-real-ip", b"proxy"), (b"x_real_ip", b"forged")]))
    equal(app.environ["HTTP_X_REAL_IP"], "proxy", "HTTP_X_REAL_IP")


# The request body


TEXT = b"one\ntwo\n\nthree"
READS: dict[str, Any] = {
    "read()": lambda body: body.read(),
    "read(4)": lambda body: [body.read(4), body.read(4), body.read(100), body.read(1)],
    "read(-1)": lambda body: body.read(-1),
    "readline()": lambda body: [body.readline(), body.readline()],
    "readline(2)": lambda body: [body.readline(2), body.readline(2), body.readline(2)],
    "readlines()": lambda body: body.readlines(),
    "readlines(5)": lambda body: body.readlines(5),
    "iteration": lambda body: list(body),
}


@check
def the_body_reads_like_a_file(make: Make) -> None:
    """Every method of wsgi.input gives what io.BytesIO gives (PEP 3333, "Input and Error Streams")."""
    for name, read in READS.items():
        for content in (TEXT, b""):
            app = Probe(read=read)
            answered(make, app, Scenario("POST", body=[content[:5], content[5:]]))
            equal(app.got, read(io.BytesIO(content)), f"{name} of {content!r}")


@check
def an_upload_that_breaks_off_is_no_end(make: Make) -> None:
    """A truncated body must not look whole (ASGI spec, "Disconnect"; research rule 32)."""
    app = Probe(read=lambda body: body.read())
    exchange(make, app, Scenario("POST", body=b"abcdef", peer=[Disconnect(after_bytes=3)]))
    expect(app.got is None, f"the app got {app.got!r} as if it were all")


@check
def an_upload_streams(make: Make) -> None:
    """The app reads the first chunk while the client still sends: uploads need not fit into memory."""
    first = threading.Event()

    def read(body: Any) -> bytes:
        got: bytes = body.read(3)
        first.set()
        return got + bytes(body.read())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        taken = 0

        async def lazily() -> Any:
            nonlocal taken
            taken += 1
            if taken == 2:
                expect(await asyncio.to_thread(first.wait, BOUND / 2), "the app is not run before the upload is over")
            return await receive()

        await adapter(scope, lazily, send)

    inner = Probe(read=read)
    with made(make, inner) as adapter:
        run(app, Scenario("POST", body=[b"abc", b"def"]), bound=BOUND).raise_for_exception()
    equal(inner.got, b"abcdef", "the body")


# Around it


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

    equal([found.body for found in asyncio.run(two())], [b"met"] * 2, "the bodies")


@check
def the_scope_is_left_as_it_was(make: Make) -> None:
    """A scope is not changed in place (ASGI spec, "Middleware")."""
    before: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        before.update(copy.deepcopy(scope))
        await adapter(scope, receive, send)
        equal(scope, before, "the scope")

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
