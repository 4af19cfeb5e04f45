"""The routes as a plain ASGI app: no framework between the adapter and the specification."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from . import _asgi_parts as streams
from . import _parts as parts

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes | AsyncIterator[bytes]]


class Gone(OSError):
    """The client left in the middle of its upload."""


async def body_of(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone("http.disconnect in the middle of the body")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def as_json(value: object) -> Answer:
    return 200, [(b"content-type", b"application/json")], json.dumps(value).encode()


async def file(size: int) -> AsyncIterator[bytes]:
    for part in parts.blocks(size):
        yield part


def sized(size: int) -> Headers:
    return [(b"content-length", str(size).encode())]


def cookies(scope: Message) -> Answer:
    raw = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
    status, headers, body = as_json({name: morsel.value for name, morsel in SimpleCookie(raw).items()})
    return status, [*headers, (b"set-cookie", b"first=1"), (b"set-cookie", b'second="two words"')], body


async def fixed(path: str, query: dict[str, str]) -> Answer | None:
    """The answers that need nothing of the request but its query."""
    match path:
        case "/hello":
            return 200, [(b"content-type", b"text/plain"), *sized(5)], b"hello"
        case "/download":
            size = int(query["size"])
            return 200, [] if "chunked" in query else sized(size), streams.download(size)
        case "/file":
            return 200, sized(int(query["size"])), file(int(query["size"]))
        case "/status/204" | "/status/304":
            return int(path[-3:]), [(b"etag", b'"v1"')] if path.endswith("304") else [], b""
        case "/go":
            return 302, [(b"location", b"/hello")], b""
        case "/error":
            raise RuntimeError(f"boom before the head {query['tag']}")
        case "/error-late":
            length = sized(int(query["length"])) if "length" in query else []
            return 200, length, streams.late_error(query["tag"])
        case "/short":
            return 200, sized(10), b"12345"
        case "/bad-header":
            return 200, [(b"x-note", b"fine\r\nX-Smuggled: yes")], b"split"
        case "/early":
            return 401, sized(0), b""
        case "/sleep":
            await asyncio.sleep(float(query["seconds"]))
            return 200, sized(5), b"slept"
        case "/where":
            return as_json(parts.where() | {"master": os.getppid()})
    return None


async def answer(scope: Message, query: dict[str, str], receive: Receive) -> Answer:
    match scope["path"]:
        case "/echo":
            return 200, [], b"".join([part async for part in body_of(receive)])
        case "/upload":
            return as_json(await streams.upload(body_of(receive), parts.door_of(query)))
        case "/stream":
            return 200, [], streams.gated(parts.door_of(query), int(query.get("pieces", 3)))
        case "/endless":
            return 200, [], streams.endless(parts.door_of(query), float(query.get("pause", 0)))
        case "/cookies":
            return cookies(scope)
        case "/headers":
            return as_json(streams.headers(scope))
        case "/state":
            return as_json(parts.state_report(scope["state"]) | {"same_loop": parts.same_loop()})
        case "/background":
            return 200, sized(8), b"accepted"
        case str(path) if path.startswith("/show/"):
            return as_json(streams.show(scope))
    return await fixed(scope["path"], query) or (404, [], b"not here")


async def respond(scope: Message, receive: Receive, send: Send) -> None:
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    status, headers, body = await answer(scope, query, receive)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body})
    else:
        async with aclosing(body) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})
    if scope["path"] == "/background":
        await streams.afterwards(parts.door_of(query))


async def live(scope: Message, receive: Receive, send: Send) -> None:
    """The lifespan conversation, by hand."""
    manager: AbstractAsyncContextManager[dict[str, Any]] = parts.lifespan()
    await receive()
    scope["state"].update(await manager.__aenter__())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await manager.__aexit__(None, None, None)
    await send({"type": "lifespan.shutdown.complete"})


async def app(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await live(scope, receive, send)
    else:
        await respond(scope, receive, send)
