"""What an ASGI app sees of a request."""

from __future__ import annotations

import asyncio
from typing import Any

from .._scenario import Scenario
from ._a2w_probing import Echo, answered, respond, whole
from ._check import Checks, Make, equal, expect

REQUEST = Checks()
check = REQUEST.add


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
    equal({name: headers.get(name) for name in wanted}, wanted, "what became of the headers")
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
    equal((app.scope["root_path"], app.scope["path"]), ("/api", "/api/x"), "the pair of root_path and path")


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
