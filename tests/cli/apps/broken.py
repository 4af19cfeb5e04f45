"""Apps that break rules, for `anysgi lint`."""

from __future__ import annotations

import threading
from typing import Any


def wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    head = environ["REQUEST_METHOD"] == "HEAD"
    start_response("200 OK", [("Content-Type", "text/html" if head else "text/plain"), ("Connection", "close")])
    return []


async def first_piece(scope: Any, receive: Any, send: Any) -> None:
    """Takes the first piece of the body for all of it, and an unknown key for a mistake."""
    if scope["type"] != "http":
        return
    event = await receive()
    assert set(event) <= {"type", "body", "more_body"}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": event.get("body", b"")})


async def empty_piece(scope: Any, receive: Any, send: Any) -> None:
    """Reads until a piece is empty."""
    assert scope["type"] == "http"
    body, event = b"", await receive()
    while event.get("body"):
        body += event["body"]
        event = await receive() if event.get("more_body") else {}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def endless(scope: Any, receive: Any, send: Any) -> None:
    """Streams on, whoever is there."""
    import asyncio

    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while scope["method"] == "GET":
        await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body"})


async def careful(scope: Any, receive: Any, send: Any) -> None:
    """Breaks nothing, and waits for the one event that is the shutdown."""
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            if event in ("lifespan.startup", "lifespan.shutdown"):
                await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def socket(scope: Any, receive: Any, send: Any) -> None:
    """Takes every message for text, and sends on after the client has left."""
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": event["text"]})
    await send({"type": "websocket.close"})


async def polite_socket(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] != "websocket.disconnect":
        await send({**event, "type": "websocket.send"})


async def blocks(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    threading.Event().wait(2.0)  # nobody sets it


async def blocks_whatever_comes(scope: Any, receive: Any, send: Any) -> None:
    threading.Event().wait(2.0)  # nobody sets it


async def blocks_sockets(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        threading.Event().wait(2.0)  # nobody sets it
    await careful(scope, receive, send)


async def answers_nothing(scope: Any, receive: Any, send: Any) -> None:
    """Waits for what never comes, be it asked for a page or for its startup."""
    import asyncio

    await asyncio.Event().wait()


def wsgi_answers_nothing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    threading.Event().wait(2.0)  # nobody sets it
    return []


async def exits(scope: Any, receive: Any, send: Any) -> None:
    raise SystemExit(2)
