"""What the three WSGI apps share: the generators of their streams, and reading an upload piece by piece."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ._parts import BLOCK, Door, Tally, block, blocks, piece


class Gated:
    """Piece n+1 is made only after the test had piece n and knocked.  No generator: it tells of every `close()`."""

    def __init__(self, door: Door, pieces: int) -> None:
        self.door, self.pieces, self.made = door, pieces, 0
        self.thread = threading.get_ident()

    def __iter__(self) -> Gated:
        return self

    def __next__(self) -> bytes:
        if self.made == self.pieces:
            self.door.tell("exhausted")
            raise StopIteration
        word = self.door.wait() if self.made else b""
        self.made += 1
        return piece(self.made - 1, word)

    def close(self) -> None:
        self.door.tell(f"closed {'here' if threading.get_ident() == self.thread else 'elsewhere'}")

    def __del__(self) -> None:
        self.door.close()


def endless(door: Door, pause: float) -> Iterator[bytes]:
    """For ever; tells the door about each MiB made, so that the test sees how far ahead of it we run."""
    per_mib = (1 << 20) // BLOCK
    try:
        number = 0
        while True:
            if pause:
                time.sleep(pause)  # the app's own I/O, not a wait of the test
                yield b"tick\n"
            else:
                yield block(number)
            number += 1
            if number % per_mib == 0 and not pause:
                door.tell("made 1 MiB")
    finally:
        door.tell("closed")
        door.close()


def watching(door: Door, left: Callable[[], bool]) -> Iterator[bytes]:
    """Silent after its first piece: only asking `left` can tell that the client has gone."""
    try:
        yield b"watching\n"
        for _ in range(2000):
            if left():
                door.tell("noticed")
                return
            time.sleep(0.005)  # a poll is all that a synchronous app can do
        door.tell("never noticed")
    finally:
        door.close()


def late_error(tag: str) -> Iterator[bytes]:
    yield b"first piece\n"
    raise RuntimeError(f"boom after the first piece {tag}")


def download(size: int) -> Iterator[bytes]:
    return blocks(size)


def upload(read: Callable[[int], bytes], door: Door) -> dict[str, Any]:
    """Reads to the end and says so at the door; or says what kind of error stopped it."""
    tally = Tally()
    door.tell("reading")
    try:
        while part := read(BLOCK):
            tally.add(part)
    except BaseException as error:
        door.tell(f"truncated {isinstance(error, OSError)} {type(error).__name__} at {tally.count}")
        raise
    else:
        door.tell(f"whole {tally.count}")
    finally:
        door.close()
    return tally.report()


def show(environ: dict[str, Any]) -> dict[str, Any]:
    """The request's address as WSGI defines it, as hexadecimal so that nothing is lost in JSON."""
    return {
        "path": environ["PATH_INFO"].encode("latin-1").hex(),
        "query": environ["QUERY_STRING"].encode("latin-1").hex(),
        "raw": environ.get("RAW_URI", environ.get("REQUEST_URI", "")),
        "port": environ["SERVER_PORT"],
        "client": environ.get("REMOTE_ADDR"),
        "scheme": environ["wsgi.url_scheme"],
    }


def headers(environ: dict[str, Any]) -> dict[str, str]:
    keys = [key for key in environ if key.startswith("HTTP_") or key.startswith("CONTENT_")]
    return {key.removeprefix("HTTP_").replace("_", "-").lower(): environ[key] for key in keys}
