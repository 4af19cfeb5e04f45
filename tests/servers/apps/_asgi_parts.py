"""What the three ASGI apps share: the generators of their streams, and reading an upload piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ._parts import BLOCK, Door, Tally, block, blocks, piece


async def gated(door: Door, pieces: int) -> AsyncIterator[bytes]:
    """Piece n+1 is made only after the test had piece n and knocked."""
    loop = asyncio.get_running_loop()
    try:
        for number in range(pieces):
            word = await door.pause() if number else b""
            yield piece(number, word)
        door.tell("exhausted")
    finally:
        door.tell(f"closed {'here' if asyncio.get_running_loop() is loop else 'elsewhere'}")
        door.close()


async def endless(door: Door, pause: float) -> AsyncIterator[bytes]:
    """For ever; tells the door about each MiB made, so that the test sees how far ahead of it we run."""
    per_mib = (1 << 20) // BLOCK
    try:
        number = 0
        while True:
            if pause:
                await asyncio.sleep(pause)
                yield b"tick\n"
            else:
                yield block(number)
            number += 1
            if number % per_mib == 0 and not pause:
                door.tell("made 1 MiB")
    finally:
        door.tell("closed")
        door.close()


async def late_error(tag: str) -> AsyncIterator[bytes]:
    yield b"first piece\n"
    raise RuntimeError(f"boom after the first piece {tag}")


async def download(size: int) -> AsyncIterator[bytes]:
    for part in blocks(size):
        yield part


async def upload(parts: AsyncIterator[bytes], door: Door) -> dict[str, Any]:
    """Reads to the end and says so at the door; or says what kind of error stopped it."""
    tally = Tally()
    door.tell("reading")
    try:
        async for part in parts:
            tally.add(part)
    except BaseException as error:
        door.tell(f"truncated True {type(error).__name__} at {tally.count}")
        raise
    else:
        door.tell(f"whole {tally.count}")
    finally:
        door.close()
    return tally.report()


async def afterwards(door: Door) -> None:
    """A background task: it starts when the response is out, and ends when the test has looked at that."""
    door.tell("background started")
    await door.pause()
    door.tell("background done")
    door.close()


def show(scope: dict[str, Any]) -> dict[str, Any]:
    """The request's address as ASGI defines it, as hexadecimal so that nothing is lost in JSON."""
    server, client = scope.get("server"), scope.get("client")
    return {
        "path": scope["path"].encode("utf-8", "surrogateescape").hex(),
        "query": scope["query_string"].hex(),
        "raw": (scope.get("raw_path") or b"").decode("latin-1"),
        "port": str(server[1]) if server else None,
        "client": client[0] if client else None,
        "scheme": scope["scheme"],
    }


def headers(scope: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found
