"""The ASGI apps that a server is given: each path of `asgi` does one thing, and the client knows what it comes to."""

from __future__ import annotations

import json
from typing import Any

from ._probe_line import asgi_line

ORDERED = [(b"set-cookie", b"b=2"), (b"x-probe", b"1"), (b"set-cookie", b"a=1"), (b"x-probe", b"0")]
BULK = b"z" * 65536
ENOUGH = 500  # times BULK is more than any buffer between an app and a client that does not read


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """An app with a lifespan and a probe for each rule."""
    if scope["type"] == "lifespan":
        return await _lifespan(receive, send)
    probe = (_WEBSOCKETS if scope["type"] == "websocket" else _REQUESTS).get(scope["path"], _says_ok)
    return await probe(scope, receive, send)


async def asgi_without_lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Rejects a lifespan the moment it is asked."""
    if scope["type"] == "lifespan":
        raise NotImplementedError("this app has no lifespan")
    await _says_ok(scope, receive, send)


async def asgi_that_raises_in_startup(scope: Any, receive: Any, send: Any) -> None:
    """Rejects a lifespan once it has seen its first event."""
    if scope["type"] == "lifespan":
        await receive()
        raise NotImplementedError("this app has no lifespan")
    await _says_ok(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


async def _says_ok(scope: Any, receive: Any, send: Any) -> None:
    await _respond(send, b"ok")


async def _respond(send: Any, body: bytes, headers: Any = (), status: int = 200) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _begin(send: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body, "more_body": True})


# --- requests


async def _tells_its_headers(scope: Any, receive: Any, send: Any) -> None:
    pairs = [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in scope["headers"]]
    await _respond(send, json.dumps(pairs).encode())


async def _sends_headers_in_order(scope: Any, receive: Any, send: Any) -> None:
    await _respond(send, b"ok", ORDERED)


async def _waits_amid_the_body(scope: Any, receive: Any, send: Any) -> None:
    async with await asgi_line(scope) as line:
        await _begin(send, b"one")
        await line.send(b"!")
        await line.receive()
        await send({"type": "http.response.body", "body": b"two"})


async def _fails(scope: Any, receive: Any, send: Any) -> None:
    raise LookupError("an app of anysgi fails on purpose")


async def _fails_amid_the_body(scope: Any, receive: Any, send: Any) -> None:
    await _begin(send, b"half")
    await _fails(scope, receive, send)


async def _sends_until_it_fails(scope: Any, receive: Any, send: Any) -> None:
    async with await asgi_line(scope) as line:
        await _begin(send, BULK)
        try:
            for _ in range(ENOUGH):
                await send({"type": "http.response.body", "body": BULK, "more_body": True})
        except OSError:
            await line.send(b"!")
            raise


async def _pushes(scope: Any, receive: Any, send: Any) -> None:
    if "http.response.push" not in (scope.get("extensions") or {}):
        return await _respond(send, b"no push here", status=501)
    await send({"type": "http.response.push", "path": "/pushed", "headers": []})
    return await _respond(send, b"ok")


_REQUESTS = {
    "/tells-its-headers": _tells_its_headers,
    "/sends-headers-in-order": _sends_headers_in_order,
    "/waits-amid-the-body": _waits_amid_the_body,
    "/fails": _fails,
    "/fails-amid-the-body": _fails_amid_the_body,
    "/sends-until-it-fails": _sends_until_it_fails,
    "/pushes": _pushes,
    "/pushed": _tells_its_headers,
}


# --- WebSockets


async def _tells_its_messages(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        data = event.get("bytes")
        told = {"text": event.get("text"), "bytes": None if data is None else data.decode("latin-1")}
        await send({"type": "websocket.send", "text": json.dumps(told)})


async def _refuses(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close"})


_WEBSOCKETS = {"/tells-its-messages": _tells_its_messages, "/refuses": _refuses}
