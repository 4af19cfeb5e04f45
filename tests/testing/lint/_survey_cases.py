"""For each rule that several requests decide: an app that breaks it, and a legal one that comes close."""

from __future__ import annotations

import asyncio
from typing import Any


async def respond(send: Any, body: bytes, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def whole(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionAbortedError
        body, more = body + event.get("body", b""), event.get("more_body", False)
    return body


async def wants_three_keys(scope: Any, receive: Any, send: Any) -> None:
    assert set(await receive()) <= {"type", "body", "more_body"}
    await respond(send, b"ok")


async def is_unwell_anyway(scope: Any, receive: Any, send: Any) -> None:
    """Fails whatever the keys are."""
    await respond(send, b"sorry", 503)


async def takes_the_first_piece(scope: Any, receive: Any, send: Any) -> None:
    await respond(send, (await receive()).get("body", b""))


async def looks_at_the_first_piece(scope: Any, receive: Any, send: Any) -> None:
    """Answers by a beginning that is the same, however long the piece is."""
    await respond(send, (await receive()).get("body", b"")[:4])


async def reads_to_an_empty_piece(scope: Any, receive: Any, send: Any) -> None:
    body, event = b"", await receive()
    while event.get("body"):
        body += event["body"]
        event = await receive() if event.get("more_body") else {}
    await respond(send, body)


async def passes_empty_pieces_over(scope: Any, receive: Any, send: Any) -> None:
    await respond(send, await whole(receive))


async def ticks(send: Any, times: int) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(times):
        await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        await asyncio.sleep(0.001)
    await send({"type": "http.response.body"})


async def streams_for_ever(scope: Any, receive: Any, send: Any) -> None:
    await ticks(send, 10**9 if scope["method"] == "GET" else 1)


async def streams_for_a_while(scope: Any, receive: Any, send: Any) -> None:
    """Never looks whether its client is there, and has an end of its own."""
    await ticks(send, 20)


async def starts_and_then_reads(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": await whole(receive)})


async def starts_says_something_and_then_reads(scope: Any, receive: Any, send: Any) -> None:
    """An empty body lets the head go."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "more_body": True})
    await send({"type": "http.response.body", "body": await whole(receive)})


def answers_head_as(kind: str, *more: tuple[str, str]) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        head = environ["REQUEST_METHOD"] == "HEAD"
        start_response("200 OK", [("Content-Type", kind if head else "text/plain"), *(() if head else more)])
        return []

    return app


PAIRS: dict[str, tuple[Any, Any]] = {
    "A022": (wants_three_keys, is_unwell_anyway),
    "A057": (takes_the_first_piece, looks_at_the_first_piece),
    "A059": (reads_to_an_empty_piece, passes_empty_pieces_over),
    "A060": (streams_for_ever, streams_for_a_while),
    "A077": (starts_and_then_reads, starts_says_something_and_then_reads),
    "W062": (answers_head_as("text/html"), answers_head_as("text/plain", ("Content-Length", "0"))),
}
