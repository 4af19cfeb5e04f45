"""`python -m benchmarks.websockets URL CONNECTIONS SECONDS`: load on a WebSocket echo; prints what wrk.lua prints.

Raw sockets on asyncio, one message at a time on each connection.  The frames are made once and compared as bytes: what
is measured is the server, and as little of this client as possible.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from statistics import quantiles
from time import perf_counter
from urllib.parse import urlsplit

from benchmarks.payload import HELLO

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
ASKED = bytes([0x82, 0x80 | len(HELLO)]) + bytes(4) + HELLO  # a binary message, masked with zeros
ANSWER = bytes([0x82, len(HELLO)]) + HELLO


class Totals:
    def __init__(self) -> None:
        self.messages = self.errors = self.wrong = 0
        self.latencies: list[float] = []


async def converse(url: str, until: float, totals: Totals) -> None:
    """One connection: message, answer, message, answer, …"""
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(HANDSHAKE.format(path=parts.path or "/", host=parts.netloc).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        totals.wrong += not head.startswith(b"HTTP/1.1 101")
        while (started := perf_counter()) < until:
            writer.write(ASKED)
            totals.wrong += await reader.readexactly(len(ANSWER)) != ANSWER
            totals.messages += 1
            totals.latencies.append(perf_counter() - started)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    except (OSError, asyncio.IncompleteReadError):
        totals.errors += 1


async def load(url: str, connections: int, seconds: float) -> dict[str, int]:
    totals, started = Totals(), perf_counter()
    talks = [converse(url, started + seconds, totals) for _ in range(connections)]
    await asyncio.wait_for(asyncio.gather(*talks), seconds + 10)
    ranks = quantiles(totals.latencies, n=100) if len(totals.latencies) > 1 else [0.0] * 99
    return {
        "requests": totals.messages,
        "bytes": totals.messages * len(ANSWER),
        "duration": int((perf_counter() - started) * 1e6),
        "errors": totals.errors,
        "status": totals.wrong,
        "timeouts": 0,
        "p50": int(ranks[49] * 1e6),
        "p99": int(ranks[98] * 1e6),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
