"""What an adapter from ASGI to WSGI must do: it is an ASGI server to its app, and a WSGI app to a server."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .._exchange import Exchange
from .._peer_events import Disconnect
from .._run import run
from .._scenario import Scenario
from ._check import BOUND, Checks, Make, equal, expect, made

ASGI_TO_WSGI = Checks()
check = ASGI_TO_WSGI.add


def exchange(make: Make, app: Any, scenario: Scenario | None = None) -> Exchange:
    """Run an app inside of the adapter."""
    with made(make, http_only(app)) as adapter:
        return run(adapter, scenario, convention="wsgi", bound=BOUND)


def answered(make: Make, app: Any, scenario: Scenario | None = None) -> Exchange:
    """The same, with a response that came to its end."""
    found = exchange(make, app, scenario)
    expect(found.exception is None, f"raises {found.exception!r}")
    expect(found.complete, "the response has no end")
    return found


def http_only(app: Any) -> Callable[..., Awaitable[None]]:
    """An app that has no lifespan, and says so as the specification wants."""

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']} here")
        await app(scope, receive, send)

    return outer


async def respond(send: Any, body: bytes = b"x", status: int = 200, headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


async def whole(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionAbortedError(message["type"])
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


class Echo:
    """Sends the request body back; keeps the scope."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.outcome: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = dict(scope)
        try:
            body = await whole(receive)
        except ConnectionAbortedError as error:
            self.outcome.append(str(error))
            raise
        await respond(send, body)


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
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for sent in range(1, 2000):  # noqa: B007 - counted outside
            await send({"type": "http.response.body", "body": b"z" * 65536, "more_body": True})
        await send({"type": "http.response.body"})

    def server_side(environ: Any, start_response: Any) -> Any:
        iterable = adapter(environ, start_response)
        try:
            next(iter(iterable))
            time.sleep(0.2)  # long enough for whoever runs ahead
        finally:
            getattr(iterable, "close", int)()
        start_response("200 OK", [], _exc_info())
        return []

    with made(make, http_only(app)) as adapter:
        run(server_side, convention="wsgi", bound=BOUND)
    expect(sent < 200, f"{sent} chunks of 64 KiB were sent before two were taken")


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


# The request


@check
def the_scope_is_legal(make: Make) -> None:
    """Every key of the specification, with its type (ASGI spec, "HTTP Connection Scope")."""
    app = Echo()
    answered(make, app, Scenario("POST", b"/a%20b?x=1", {"Content-Type": "text/plain", "X-A": "1"}, b"abc"))
    scope = app.scope
    kinds = {"asgi": dict, "method": str, "path": str, "query_string": bytes, "http_version": str, "scheme": str}
    wrong = {key: scope.get(key) for key, kind in kinds.items() if not isinstance(scope.get(key), kind)}
    expect(not wrong, f"{wrong!r}")
    equal((scope["path"], scope["query_string"], scope["http_version"]), ("/a b", b"x=1", "1.1"), "the target")
    headers = {bytes(name): bytes(value) for name, value in scope["headers"]}
    wanted = {b"content-type": b"text/plain", b"content-length": b"3", b"x-a": b"1", b"host": b"testserver"}
    equal({name: headers.get(name) for name in wanted}, wanted, "headers")
    expect("version" in scope["asgi"], "asgi has no version")


@check
def paths_may_hold_any_byte(make: Make) -> None:
    """Paths that are no UTF-8 are a client's right, and no reason to fail."""
    app = Echo()
    answered(make, app, Scenario(target=b"/caf%E9"))
    expect(app.scope["path"].startswith("/caf"), f"the path is {app.scope['path']!r}")
    app.scope["path"].encode("utf-8")


@check
def a_query_may_hold_any_byte(make: Make) -> None:
    """`query_string` is bytes (ASGI spec, "HTTP Connection Scope")."""
    app = Echo()
    answered(make, app, Scenario(target=b"/?q=\xe9"))
    equal(app.scope["query_string"], b"q=\xe9", "query_string")


@check
def a_path_includes_its_mount(make: Make) -> None:
    """`path` has root_path in front (ASGI spec, "WSGI Compatibility")."""
    app = Echo()
    answered(make, app, Scenario(target=b"/api/x", root_path="/api"))
    equal((app.scope["root_path"], app.scope["path"]), ("/api", "/api/x"), "root_path and path")


@check
def the_body_arrives_whole(make: Make) -> None:
    """All of it, then `more_body` false (ASGI spec, "Request")."""
    for body in (b"", b"abc", b"x" * 300_000):
        equal(answered(make, Echo(), Scenario("POST", body=body)).body, body, "the body")


@check
def a_body_of_unknown_length_arrives(make: Make) -> None:
    """Chunked requests have no CONTENT_LENGTH; `wsgi.input_terminated` says that reading to the end is safe."""
    chunked = Scenario("POST", headers={"Transfer-Encoding": "chunked"}, body=[b"ab", b"c"])
    equal(answered(make, Echo(), chunked).body, b"abc", "the body")


@check
def after_the_body_receive_waits(make: Make) -> None:
    """No second http.request: the next message is the disconnect (ASGI spec, "Disconnect")."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        waiting = asyncio.ensure_future(receive())
        await asyncio.wait([waiting], timeout=0.05)
        seen.append(waiting.result()["type"] if waiting.done() else "waits")
        waiting.cancel()
        await respond(send)

    answered(make, app, Scenario("POST", body=b"abc"))
    equal(seen, ["waits"], "what receive() does")


@check
def a_cancelled_receive_loses_nothing(make: Make) -> None:
    """Frameworks race receive() against other work; the chunk must come with the next call."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        begun = b"" if waiting.cancelled() else waiting.result().get("body", b"")
        await respond(send, begun + (await whole(receive) if not begun else b""))

    equal(answered(make, app, Scenario("POST", body=b"abc")).body, b"abc", "the body")


# Around it


@check
def the_environ_is_left_as_it_was(make: Make) -> None:
    """Nothing of the request is rewritten for outer middleware."""
    before: dict[str, Any] = {}

    def server_side(environ: Any, start_response: Any) -> Any:
        before.update(environ)
        body = b"".join(adapter(environ, start_response))
        kept = {key: environ.get(key) for key in before}
        equal(kept, before, "the environ")
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
    equal(found, [b"met"] * 2, "the bodies")


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
