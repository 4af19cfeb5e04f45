"""`python -m benchmarks.client URL CONNECTIONS SECONDS`: the load generator for machines without `wrk`.

Raw sockets on asyncio, keep-alive, one request at a time on each connection; prints the same JSON line as wrk.lua.  It
uses about as much CPU as the server it measures, so ratios come out smaller than they are: install wrk if you can.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from statistics import quantiles
from time import perf_counter
from urllib.parse import urlsplit

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Totals:
    def __init__(self) -> None:
        self.requests = self.bytes = self.errors = self.status = 0
        self.latencies: list[float] = []


async def body_of(reader: asyncio.StreamReader, head: bytes) -> int:
    """Reads one body, counted or chunked; returns its length on the wire."""
    if found := LENGTH.search(head):
        return len(await reader.readexactly(int(found[1])))
    total = 0
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        total += len(line) + len(await reader.readexactly(size + 2))
        if not size:
            return total


async def converse(host: str, port: int, request: bytes, until: float, totals: Totals) -> None:
    """One connection: request, answer, request, answer, …"""
    while perf_counter() < until:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            totals.errors += 1
            await asyncio.sleep(0.05)
            continue
        try:
            while (started := perf_counter()) < until:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                totals.bytes += len(head) + await body_of(reader, head)
                totals.requests += 1
                totals.status += not head.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2"))
                totals.latencies.append(perf_counter() - started)
        except (OSError, asyncio.IncompleteReadError):
            totals.errors += 1
        finally:
            writer.close()


async def load(url: str, connections: int, seconds: float) -> dict[str, int]:
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    totals, started = Totals(), perf_counter()
    talks = [converse(host, port, request, started + seconds, totals) for _ in range(connections)]
    await asyncio.wait_for(asyncio.gather(*talks), seconds + 10)
    ranks = quantiles(totals.latencies, n=100) if len(totals.latencies) > 1 else [0.0] * 99
    return {
        "requests": totals.requests,
        "bytes": totals.bytes,
        "duration": int((perf_counter() - started) * 1e6),
        "errors": totals.errors,
        "status": totals.status,
        "timeouts": 0,
        "p50": int(ranks[49] * 1e6),
        "p99": int(ranks[98] * 1e6),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
