"""`wsgi.input` over a request body that is still arriving (PEP 3333, "Input and Error Streams").

Two methods are ours: `read`, which hands chunks through uncopied where it can, and `readinto`, of which
`io.BufferedReader` makes `readline`, `readlines`, iteration and the rest.  Most requests never look at their input, so
none of it is made before it is touched.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import WriteableBuffer

    from .._bridge._to_thread import ToThread


class RequestInput(io.RawIOBase):
    """The raw, blocking side of the body.

    Args:
        ask: called once, at the first read: the body is wanted (until then a client that sent `Expect: 100-continue` is
            not told to go on).  Returns where the loop puts it.
    """

    def __init__(self, ask: Callable[[], ToThread]) -> None:
        self._ask = ask
        self._flow: ToThread | None = None
        self._rest: bytes | memoryview = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` with what has arrived, waiting for the first byte; 0 means the end of a complete body.

        Raises:
            ClientDisconnected: the client left before the body was complete; also an `OSError`.
            BadRequest: the body grew past `max_body_size`.
        """
        target = memoryview(buffer).cast("B")
        part = self._part(len(target))
        target[: len(part)] = part
        return len(part)

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer only at the end; everything up to the end if it is negative or None.

        Each byte is copied at most once; not at all where a chunk is what was asked for.
        """
        left = sys.maxsize if size is None or size < 0 else size
        parts = []
        while left and (part := self._part(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    readall = read

    def _part(self, most: int) -> bytes | memoryview:
        """The next bytes, at most so many, waiting for the first; empty at the end."""
        part = self._rest or self._next()
        self._rest = b""
        if len(part) > most:
            whole = memoryview(part)
            part, self._rest = whole[:most], whole[most:]
        return part

    def _next(self) -> bytes:
        flow = self._flow
        if flow is None:
            flow = self._flow = self._ask()
        while not (chunk := flow.take()) and not flow.ended:
            flow.wait()
        return chunk


class WsgiInput:
    """`environ["wsgi.input"]`: an `io.BufferedReader`, made when it is first touched.

    Args:
        ask: see `RequestInput`.
    """

    __slots__ = ("_ask", "_raw", "_reader")

    def __init__(self, ask: Callable[[], ToThread]) -> None:
        self._ask = ask
        self._raw: RequestInput | None = None
        self._reader: io.BufferedReader | None = None

    def read(self, size: int | None = -1) -> bytes:
        """See `io.BufferedReader.read`; without one, as long as nothing else was called that needs its buffer."""
        if self._reader is not None:
            return self._reader.read(size)
        raw = self._raw
        if raw is None:
            raw = self._raw = RequestInput(self._ask)
        return raw.read(size)

    def _opened(self) -> io.BufferedReader:
        reader = self._reader
        if reader is None:
            reader = self._reader = io.BufferedReader(self._raw or RequestInput(self._ask))
        return reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened(), name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._opened())

    def __next__(self) -> bytes:
        return next(self._opened())
