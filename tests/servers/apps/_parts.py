"""What all six apps share: the bytes they send, the facts they report, and the door.

A door is a socket back to the test.  An app `tell`s what it just did (reading, closed, finished) and `wait`s there
until the test lets it go on, so nobody sleeps: both sides wait for the event itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import gc
import hashlib
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

BLOCK = 65_536
BIG = b"+"
PADDING = 32 << 20
PATIENCE = 20.0  # no wait in an app outlives the test that caused it
MARK: contextvars.ContextVar[str] = contextvars.ContextVar("MARK", default="untouched")
FACTS: dict[str, Any] = {"startups": 0, "loop": None}


class Door:
    """The app's side of one connection to the test; `Door(None)` leads nowhere and never blocks."""

    def __init__(self, port: int | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE) if port else None

    def tell(self, word: str) -> None:
        if self.socket:
            self.socket.settimeout(PATIENCE)
            try:
                self.socket.sendall(f"{word}\n".encode())
            except OSError:
                pass  # the test is over: nobody listens any more

    def wait(self) -> bytes:
        """Until the test lets us on (or goes away); its word, of one byte."""
        if self.socket:
            self.socket.settimeout(PATIENCE)
            try:
                return self.socket.recv(1)
            except ConnectionError:
                pass
        return b""

    async def pause(self) -> bytes:
        """`wait`, for a coroutine."""
        if self.socket:
            self.socket.setblocking(False)
            try:
                async with asyncio.timeout(PATIENCE):
                    return await asyncio.get_running_loop().sock_recv(self.socket, 1)
            except ConnectionError:
                pass
        return b""

    def close(self) -> None:
        if self.socket:
            self.socket.close()


class Ledger(Door):
    """A door that only writes down what it is told, under a name."""

    def __init__(self, name: str) -> None:
        super().__init__(None)
        self.name = name

    def tell(self, word: str) -> None:
        journal(f"{self.name} {word}")


def door_of(query: dict[str, str]) -> Door:
    if "ledger" in query:
        return Ledger(query["ledger"])
    return Door(int(query["door"]) if "door" in query else None)


def piece(number: int, word: bytes = b"") -> bytes:
    """A line; after the word `BIG`, a longer one than the kernel takes off a server's hands."""
    return f"piece {number}{'!' * (PADDING if word == BIG else 0)}\n".encode()


def block(number: int) -> bytes:
    """64 KiB that differ from block to block, so that a lost, doubled or swapped one changes the digest."""
    seed = number.to_bytes(8, "big")
    return (hashlib.sha256(seed).digest() * (BLOCK // 32))[:BLOCK]


def blocks(size: int) -> Iterator[bytes]:
    for start in range(0, size, BLOCK):
        yield block(start // BLOCK)[: size - start]


def file(size: int) -> str:
    """The path of a file of that size, made once, in the server's own folder."""
    path = os.path.abspath(f"file-{os.getpid()}-{size}")
    if not os.path.exists(path):
        with open(path, "wb") as out:
            out.writelines(blocks(size))
    return path


def digest(parts: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


class Tally:
    """Counts and hashes an upload, holding none of it."""

    def __init__(self) -> None:
        self.sum = hashlib.sha256()
        self.count = 0

    def add(self, part: bytes) -> None:
        self.sum.update(part)
        self.count += len(part)

    def report(self) -> dict[str, Any]:
        return {"sha256": self.sum.hexdigest(), "count": self.count}


def where() -> dict[str, Any]:
    """Who runs this, whether a context variable of an earlier request is still here, and how many tasks there are.

    Whoever measures the process next finds only what is held on to.
    """
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    before = MARK.get()
    MARK.set("left over")
    thread = threading.current_thread()
    me = {"pid": os.getpid(), "thread": thread.name, "ident": thread.ident, "mark": before}
    return me | {"tasks": sum(not task.done() for task in gc.get_objects() if isinstance(task, asyncio.Task))}


def journal(word: str) -> None:
    """One line per event of the process's life, in a file which outlives it."""
    if path := os.environ.get("ANYSGI_TEST_JOURNAL"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{word} {os.getpid()}\n")


def running_loop() -> int:
    """What tells loops apart: asyncio's own, or trio's token."""
    if (trio := sys.modules.get("trio")) is not None and trio.lowlevel.in_trio_run():
        return id(trio.lowlevel.current_trio_token())
    return id(asyncio.get_running_loop())


@asynccontextmanager
async def lifespan(app: object = None) -> AsyncIterator[dict[str, Any]]:
    """For all apps: counts startups, remembers its loop, hands out a state."""
    FACTS["startups"] += 1
    FACTS["loop"] = running_loop()
    journal("startup")
    yield {"greeting": "from lifespan", "shared": []}
    journal("shutdown")


def state_report(state: dict[str, Any]) -> dict[str, Any]:
    """The state as the request got it; then writes to it, which no later request may see."""
    seen = {"startups": FACTS["startups"], "greeting": state.get("greeting"), "leak": state.get("leak")}
    state["leak"] = "from an earlier request"
    return seen


def same_loop() -> bool:
    return running_loop() == FACTS["loop"]
