"""Fields after a body: a layer's own, and the app's (ASGI spec, "HTTP Trailers")."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any

import pytest

from anysgi.middleware import (
    Flow,
    Request,
    Response,
    Stack,
    compress,
    conditional,
    digest,
    middleware,
    server_timing,
    span,
)
from anysgi.middleware._digests import digest_field
from anysgi.middleware._engine._outcome import Outcome

from ._driving import App, Ask, Drive

OFFERED = {"extensions": {"http.response.trailers": {}}, "http_version": "2"}
TAKEN = [("te", "trailers")]
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")], "trailers": True}
LAST = {"type": "http.response.body", "body": b"hello " * 200}
OWN = {"type": "http.response.trailers", "headers": [(b"x-own", b"1")]}


@middleware(peek=True)
def count(request: Request) -> Flow:
    """Tell after the body how many bytes it had."""
    response: Response = yield request
    seen: list[int] = []
    response.body.observe(lambda data: seen.append(len(data)))
    response.body.trailer("x-count", lambda: str(sum(seen)))


@middleware
def outcomes(request: Request, *, log: list[str]) -> Flow:
    outcome: Outcome = yield (yield request)
    log.append(outcome.kind)


def sent(stack: Any, *messages: Any, headers: Any = TAKEN, method: str = "GET", **scope: Any) -> list[Any]:
    """What a server gets of an app that sends these messages."""
    passed: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    async def send(message: Any) -> None:
        passed.append(message)

    asked = Ask(method, headers=[*headers]).scope()
    asyncio.run(Stack(stack).asgi(app)({**asked, **OFFERED, **scope}, receive, send))
    return passed


async def receive() -> Any:
    return {"type": "http.request"}


def trailers(messages: list[Any]) -> list[tuple[bytes, bytes]]:
    return [pair for message in messages if message["type"] == OWN["type"] for pair in message["headers"]]


def plain(**more: Any) -> Any:
    return {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")], **more}


def piece(body: bytes, *, more: bool) -> Any:
    return {"type": "http.response.body", "body": body, "more_body": more}


@pytest.mark.parametrize("pieces", [[piece(b"hi", more=False)], [piece(b"h", more=True), piece(b"i", more=False)]])
def test_a_layers_field_follows_the_body_and_is_announced(pieces: Any) -> None:
    start, *_, end = sent(count(), plain(), *pieces)
    assert start["trailers"] is True
    assert start["headers"] == [(b"content-length", b"2"), (b"trailer", b"x-count")]
    assert end == {"type": "http.response.trailers", "headers": [(b"x-count", b"2")], "more_trailers": False}


def test_where_nobody_takes_it_none_is_sent(drive: Drive) -> None:
    app = App(b"h", b"i", shape="stream")
    assert drive(count(), app, headers=[("te", "gzip")], **_offered(drive)).header("trailer") is None
    assert drive(count(), app, headers=TAKEN).header("trailer") is None
    assert not drive.request(headers=TAKEN).takes_trailers


def _offered(drive: Drive) -> dict[str, Any]:
    return OFFERED if drive.convention == "asgi" else {}


def test_a_head_has_no_trailers() -> None:
    assert sent(count(), plain(), piece(b"", more=False), method="HEAD") == [plain(), piece(b"", more=False)]


def test_http_1_has_room_for_them_in_chunks_alone() -> None:
    start, *_ = sent(count(), plain(), piece(b"hi", more=False), http_version="1.1")
    assert start["headers"] == [(b"trailer", b"x-count")]


def test_those_of_layers_come_before_the_apps_own() -> None:
    passed = sent(
        Stack(count(), compress(codings=["gzip"])), START, LAST, OWN, headers=[*TAKEN, ("accept-encoding", "gzip")]
    )
    assert trailers(passed) == [(b"x-count", str(len(passed[1]["body"])).encode()), (b"x-own", b"1")]
    assert passed[2]["more_trailers"] is True


def test_a_layers_own_answer_has_them_too() -> None:
    @middleware
    def answer(request: Request) -> Flow:
        yield from ()
        response = Response(200, b"hi")
        response.body.trailer("x-made", lambda: "1")
        return response

    passed = sent(answer())
    assert [message["type"].rpartition(".")[2] for message in passed] == ["start", "body", "trailers"]
    assert trailers(passed) == [(b"x-made", b"1")]


def test_a_response_is_over_with_its_last_trailers() -> None:
    log: list[str] = []
    first = {**OWN, "more_trailers": True}
    assert sent(outcomes(log=log), START, LAST, first, OWN) == [START, LAST, first, OWN]
    sent(outcomes(log=log), START, LAST, first)
    assert log == ["complete", "aborted"]


def test_a_response_that_lost_its_body_loses_its_trailers() -> None:
    etag = {**START, "headers": [(b"etag", b'"a"')]}
    start, body = sent(conditional(), etag, LAST, OWN, headers=[*TAKEN, ("if-none-match", '"a"')])
    assert (start["status"], start["trailers"], body["body"]) == (304, False, b"")


@pytest.mark.parametrize("kind", ["content", "repr"])
def test_the_digest_of_a_stream_follows_it(kind: Any) -> None:
    stack = Stack(digest(kind=kind, always=True), compress(codings=["gzip"]))
    pieces = [piece(b"hello " * 99, more=True), piece(b"bye", more=False)]
    start = {**START, "trailers": False}
    start, *body, end = sent(stack, start, *pieces, headers=[*TAKEN, ("accept-encoding", "gzip")])
    coded = b"".join(message["body"] for message in body)
    assert (b"trailer", f"{kind}-digest".encode()) in start["headers"]
    expected = digest_field("sha-256", hashlib.sha256(coded).digest())
    assert end["headers"] == [(f"{kind}-digest".encode(), expected.encode())]


def test_the_digest_of_a_file_that_the_server_sends_does_not() -> None:
    path = {"type": "http.response.pathsend", "path": "/nowhere"}
    assert sent(digest(always=True), plain(), path) == [plain(), path]


def test_a_body_whose_digest_follows_is_not_compressed() -> None:
    start = {**START, "headers": [*START["headers"], (b"trailer", b"Content-Digest")]}
    assert sent(compress(), start, LAST, OWN, headers=[*TAKEN, ("accept-encoding", "gzip")]) == [start, LAST, OWN]


def test_timings_after_the_head_follow_the_body() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        with span("page"):
            await send(plain())
        with span("late"):
            await send(piece(b"h", more=True))
        await send(piece(b"i", more=False))

    passed: list[Any] = []

    async def send(message: Any) -> None:
        passed.append(message)

    asyncio.run(server_timing().asgi(app)({**Ask(headers=TAKEN).scope(), **OFFERED}, receive, send))
    [(name, value)] = trailers(passed)
    assert name == b"server-timing"
    assert re.fullmatch(rb"total;dur=[\d.]+, page;dur=[\d.]+, late;dur=[\d.]+", value)
