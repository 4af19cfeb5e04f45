"""What the soak sends: seeded plans of requests in which somebody leaves, fails or errs at a random point.

`Play` acts one plan as the server and the client of an adapter in this process, without sockets; the apps here are
the other end: they hold a descriptor open for as long as they run, so that one which is never closed is counted.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import io
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil

PIECE = b"x" * 4096
REACHED = 10.0  # seconds in which any one request must be over


class Boom(Exception):
    """The app's own error."""


@dataclass(frozen=True)
class Plan:
    """One request: how long it is on either side, and what goes wrong at which point (-1: nothing)."""

    uploads: int
    pieces: int
    leaves_in_upload: int
    leaves_in_response: int
    fails: int
    send_raises: bool


def plans(seed: int, count: int) -> list[Plan]:
    chance = random.Random(seed)

    def point(length: int, probability: float) -> int:
        return chance.randrange(length + 1) if chance.random() < probability else -1

    def one() -> Plan:
        uploads, pieces = chance.choice([0, 0, 1, 8]), chance.choice([0, 1, 1, 5, 40])
        trouble = [point(uploads, 0.2), point(pieces, 0.3), point(pieces, 0.1)]
        return Plan(uploads, pieces, *trouble, send_raises=chance.random() < 0.5)

    return [one() for _ in range(count)]


# --- a WSGI app under an ASGI server


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterator[bytes]:
    plan: Plan = environ["asgi.scope"]["state"]["plan"]
    with open(os.devnull, "rb"):
        while environ["wsgi.input"].read(8192):
            pass
        start_response("200 OK", [("Content-Type", "text/plain")])
        for number in range(plan.pieces):
            if number == plan.fails:
                raise Boom
            yield PIECE


async def play_asgi(adapter: Any, plan: Plan) -> None:
    """The server's and the client's part of one request to an ASGI app."""
    gone, sent = asyncio.Event(), 0
    bodies = iter(range(plan.uploads + 1))

    async def receive() -> dict[str, Any]:
        number = next(bodies, None)
        if number is not None and number == plan.leaves_in_upload:
            gone.set()
        if number is None:
            await gone.wait()
        if gone.is_set():
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": PIECE if plan.uploads else b"", "more_body": number < plan.uploads}

    async def send(message: dict[str, Any]) -> None:
        nonlocal sent
        if sent == plan.leaves_in_response:
            gone.set()
            if plan.send_raises:
                raise ConnectionResetError("the client left")
        sent += message["type"] == "http.response.body"
        await asyncio.sleep(0)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"soak"), (b"transfer-encoding", b"chunked")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {"plan": plan},
    }
    async with asyncio.timeout(REACHED):
        with suppress(Boom, OSError):
            await adapter(scope, receive, send)


# --- an ASGI app under a WSGI server


async def asgi_app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    plan: Plan = scope["wsgi.environ"]["plan"]
    with open(os.devnull, "rb"):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(plan.pieces):
            if number == plan.fails:
                raise Boom
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": str(len(asyncio.all_tasks())).encode()})


class Upload(io.BytesIO):
    """An upload of which the client sends a part."""

    def __init__(self, plan: Plan) -> None:
        whole = plan.uploads if plan.leaves_in_upload < 0 else min(plan.leaves_in_upload, plan.uploads)
        super().__init__(PIECE * whole)


def play_wsgi(adapter: Any, plan: Plan) -> bytes:
    """The server's and the client's part of one request to a WSGI app; the last piece the client got."""
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(plan.uploads * len(PIECE)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": Upload(plan),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "plan": plan,
    }
    last, body = b"", adapter(environ, lambda *_: None)
    try:
        for number, piece in enumerate(body):
            if number == plan.leaves_in_response:
                break
            last = piece or last
    except (Boom, OSError):
        pass
    finally:
        if close := getattr(body, "close", None):
            close()
    return last


@dataclass(frozen=True)
class Measure:
    """What a process holds at one moment."""

    descriptors: int
    threads: int
    memory: int


def memory_is_where_it_was(before: list[Measure], after: list[Measure]) -> bool:
    """The heap goes up and down by 3 % with what was in flight last; a leak goes up only."""
    return min(moment.memory for moment in after) < max(moment.memory for moment in before) * 1.05


def measure(process: psutil.Process | None = None) -> Measure:
    if process is None:
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)  # what glibc keeps for later is nobody's leak
        process = psutil.Process()
    return Measure(process.num_fds(), process.num_threads(), process.memory_info().rss)
