"""`compress` of a JSON body of 1 MiB, against Starlette's GZipMiddleware, at one level.  Time is processor time."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from starlette.middleware.gzip import GZipMiddleware

from anysgi.middleware import compress
from benchmarks.measure import Result, turns
from benchmarks.middleware import asgi_lap, wsgi_lap
from benchmarks.payload import MIB
from benchmarks.peers import OURS

STARLETTE, LEVEL = "GZipMiddleware", 6
FEWEST = 41  # rounds: zlib takes 99 % of the time of both, and what is left shows in the median of many only
HEADERS = {"content-type": "application/json", "content-length": str(MIB)}


def rows() -> bytes:
    """1 MiB of rows as an API lists them; JSON up to where it is cut."""
    dice = Random(1)
    words = ["red", "green", "blue", "large", "small", "wool", "cotton", "new"]
    made = [
        {"id": number, "name": " ".join(dice.choices(words, k=3)), "price": dice.randrange(10_000) / 100}
        for number in range(20_000)
    ]
    return json.dumps(made).encode()[:MIB]


BODY = rows()


async def asgi_json(scope: Any, receive: Any, send: Any) -> None:
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def wsgi_json(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", list(HEADERS.items()))
    return [BODY]


def contenders(convention: str) -> dict[str, Callable[[int], float]]:
    """Starlette's is for ASGI alone, and so the measure for both."""
    ours = compress(codings=["gzip"], levels={"gzip": LEVEL})
    peer = asgi_lap(GZipMiddleware(asgi_json, compresslevel=LEVEL))
    return {OURS: asgi_lap(ours(asgi_json)) if convention == "asgi" else wsgi_lap(ours(wsgi_json)), STARLETTE: peer}


def run(convention: str, *, rounds: int, say: Callable[[str], None]) -> Result:
    result = Result(name(convention), title(convention), "ms")
    laps = contenders(convention)
    for lap in laps.values():
        lap(1)
    for who in turns(list(laps), max(rounds, FEWEST)):
        say(who)
        result.add(who, laps[who](1) * 1e3)
    return result


def name(convention: str) -> str:
    return f"compress-{convention}"


def title(convention: str) -> str:
    return f"A JSON body of 1 MiB in gzip at level {LEVEL}, {convention.upper()}"
