"""`wsgi.input` over a request body that is still arriving (PEP 3333, "Input and Error Streams").

One method is ours, `readinto`; `io.BufferedReader` makes `read`, `readline`, `readlines` and iteration of it.  Most
requests never look at their input, so none of it is made before it is touched.
"""

from __future__ import annotations

import io
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
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` with what has arrived, waiting for the first byte; 0 means the end of a complete body.

        Raises:
            ClientDisconnected: the client left before the body was complete; also an `OSError`.
            BadRequest: the body grew past `max_body_size`.
        """
        target = memoryview(buffer).cast("B")
        rest = self._rest or memoryview(self._next())
        size = min(len(rest), len(target))
        target[:size] = rest[:size]
        self._rest = rest[size:]
        return size

    def readall(self) -> bytes:
        """Everything up to the end, each byte copied once; what `read()` without a size comes down to."""
        parts = [bytes(self._rest)]
        self._rest = memoryview(b"")
        while part := self._next():
            parts.append(part)
        return b"".join(parts)

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

    __slots__ = ("_ask", "_reader")

    def __init__(self, ask: Callable[[], ToThread]) -> None:
        self._ask = ask
        self._reader: io.BufferedReader | None = None

    def _opened(self) -> io.BufferedReader:
        reader = self._reader
        if reader is None:
            reader = self._reader = io.BufferedReader(RequestInput(self._ask))
        return reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened(), name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._opened())

    def __next__(self) -> bytes:
        return next(self._opened())
