"""How much memory a large body takes, and how far its producer runs ahead of a slow consumer.

`python -m benchmarks.memory FLOW ADAPTER MIB` drives one body through one adapter in a fresh process and prints JSON.
Every piece is a fresh copy, so what an adapter hoards shows in VmHWM; the consumer naps now and then, so that a
producer that is not held back gets away.  "Ahead" is what was produced and not yet consumed whenever the next piece is
asked for; a body counts as consumed when `send()` has returned, or `read()`, or when the next chunk is asked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.drivers import Request, Source, environ_for, scope_for
from benchmarks.measure import Result
from benchmarks.payload import KIB, MIB, PIECE, PIECES
from benchmarks.watch import ROOT

FLOWS = {
    "wsgi-down": "{size} down through WSGI under ASGI",
    "wsgi-up": "{size} up through WSGI under ASGI",
    "asgi-down": "{size} down through ASGI under WSGI",
    "asgi-up": "{size} up through ASGI under WSGI",
}
# starlette's adapter joins an upload piece by piece, in quadratic time: a GiB would take it an hour.
UNFIT = {("wsgi-up", "starlette")}
NAP, NAP_EVERY = 0.05, 32 * MIB  # few long naps rather than many short ones: long enough to be run away from
LIMIT = 90.0  # seconds for one body


class Meter:
    """Counts both ends of one body."""

    def __init__(self) -> None:
        self.produced = self.consumed = self.ahead = self._rested = 0

    def produce(self, index: int) -> bytes:
        """The next piece, freshly copied."""
        self.about_to_produce()
        piece = bytes(memoryview(PIECES[index % len(PIECES)]))
        self.produced += len(piece)
        return piece

    def about_to_produce(self) -> None:
        self.ahead = max(self.ahead, self.produced - self.consumed)

    def nap_due(self, size: int) -> bool:
        """Whether the consumer, having taken `size` more bytes, is due a nap."""
        self._rested += size
        due = self._rested >= NAP_EVERY
        if due:
            self._rested = 0
        return due


def wsgi_app(meter: Meter, size: int, upload: bool) -> Any:
    def produce() -> Iterator[bytes]:
        for index in range(size // PIECE):
            yield meter.produce(index)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"]
        while upload and meter.consumed < size and (piece := body.read(PIECE)):
            if meter.nap_due(len(piece)):
                time.sleep(NAP)
            meter.consumed += len(piece)
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [b"done"] if upload else produce()

    return app


def asgi_app(meter: Meter, size: int, upload: bool) -> Any:
    async def consume(receive: Any) -> None:
        more = True
        while more:
            message = await receive()
            piece, more = message.get("body", b""), message.get("more_body", False)
            if meter.nap_due(len(piece)):
                await asyncio.sleep(NAP)
            meter.consumed += len(piece)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if upload:
            await consume(receive)
        headers = [(b"content-type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for index in range(0 if upload else size // PIECE):
            await send({"type": "http.response.body", "body": meter.produce(index), "more_body": True})
        await send({"type": "http.response.body", "body": b"done" if upload else b""})

    return app


async def drive_asgi(app: Any, meter: Meter, request: Request) -> int:
    """An ASGI server with a slow client, or one that uploads as fast as it may; the bytes that came out."""
    left, index, received, ended = request.upload, 0, 0, asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal left, index
        if index and not left:
            await ended.wait()
            return {"type": "http.disconnect"}
        await asyncio.sleep(0)
        piece = meter.produce(index) if left else b""
        left, index = left - len(piece), index + 1
        return {"type": "http.request", "body": piece, "more_body": left > 0}

    async def send(message: Any) -> None:
        nonlocal received
        body = message.get("body", b"")
        received += len(body)
        if not request.upload:
            if meter.nap_due(len(body)):
                await asyncio.sleep(NAP)
            meter.consumed += len(body)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            ended.set()

    await app(scope_for(request), receive, send)
    return received


class MeteredSource(Source):
    def __init__(self, size: int, meter: Meter) -> None:
        super().__init__(size)
        self.meter = meter

    def read(self, size: int = -1) -> bytes:
        self.meter.about_to_produce()
        piece = super().read(size)  # a slice of a longer string: a fresh copy
        self.meter.produced += len(piece)
        return piece


def drive_wsgi(app: Any, meter: Meter, request: Request) -> int:
    received = 0
    environ = environ_for(request) | {"wsgi.input": MeteredSource(request.upload, meter)}
    result = app(environ, lambda status, headers, exc_info=None: lambda data: None)
    for chunk in result:
        received += len(chunk)
        if not request.upload:
            if meter.nap_due(len(chunk)):
                time.sleep(NAP)
            meter.consumed += len(chunk)
    if hasattr(result, "close"):
        result.close()
    return received


def flow(name: str, adapter: str, size: int) -> Meter:
    """Sends `size` bytes through `adapter` and returns what was counted; raises where bytes are missing."""
    side, _, way = name.partition("-")
    meter, request = Meter(), Request("upload" if way == "up" else "download", size)
    if side == "wsgi":
        app = peers.WSGI_TO_ASGI[adapter](wsgi_app(meter, size, way == "up"))
        asyncio.run(drive_asgi(app, meter, request))
    else:
        drive_wsgi(peers.ASGI_TO_WSGI[adapter](asgi_app(meter, size, way == "up")), meter, request)
    if meter.consumed != size or meter.produced != size:
        raise RuntimeError(f"{meter.produced} bytes produced, {meter.consumed} consumed, {size} expected")
    return meter


def proc_status(field: str) -> float:
    """A field of /proc/self/status in MiB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def measure(name: str, adapter: str, size: int) -> dict[str, float]:
    """A small body first, so that imports, threads and arenas are there; then the growth above that."""
    flow(name, adapter, 8 * MIB)
    before, started = proc_status("VmRSS:"), time.perf_counter()
    Path("/proc/self/clear_refs").write_text("5")  # "5" sets VmHWM, the high-water mark, back to VmRSS
    meter = flow(name, adapter, size)
    growth = max(0.0, proc_status("VmHWM:") - before)
    return {"growth": growth, "ahead KiB": meter.ahead / KIB, "seconds": time.perf_counter() - started}


def in_a_process(name: str, adapter: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.memory", name, adapter, str(size // MIB)]
    try:
        run = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"hung: no end within {LIMIT:g} s") from None
    if run.returncode:
        raise RuntimeError(run.stderr.decode(errors="replace").strip().splitlines()[-1][:200])
    return dict(json.loads(run.stdout))


def run(name: str, size: int, only_ours: bool, say: Callable[[str], None]) -> Result:
    """One flow through every adapter that has that side."""
    table = peers.WSGI_TO_ASGI if name.startswith("wsgi") else peers.ASGI_TO_WSGI
    result = Result(f"memory-{name}", FLOWS[name].format(size=f"{size // MIB} MiB"), "MiB of growth", comparable=False)
    for adapter in [name for name in peers.installed(table) if not only_ours or name == peers.OURS]:
        if (name, adapter) in UNFIT:
            result.failures[adapter] = "not run: quadratic in the size of the body"
            continue
        say(adapter)
        try:
            facts = in_a_process(name, adapter, size)
        except RuntimeError as error:
            result.fail(adapter, str(error))
            continue
        result.add(adapter, facts.pop("growth"))
        result.facts[adapter] = facts
    return result


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]) * MIB)))
    sys.stdout.flush()
    os._exit(0)  # a peer's stuck thread must not keep us
