"""`wsgi.input` over a request body that is still arriving (PEP 3333, "Input and Error Streams").

One method is ours, `readinto`; `io.BufferedReader` makes `read`, `readline`, `readlines` and iteration of it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

    from .._bridge._to_thread import ToThread


class RequestInput(io.RawIOBase):
    """The raw, blocking side of the body.

    Args:
        flow: where the loop puts the body.
        ask: called once, at the first read: the body is wanted (until then a client that sent
            `Expect: 100-continue` is not told to go on).
    """

    def __init__(self, flow: ToThread, ask: Callable[[], None]) -> None:
        self._flow = flow
        self._ask: Callable[[], None] | None = ask
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
        if self._ask is not None:
            ask, self._ask = self._ask, None
            ask()
        flow = self._flow
        while not (chunk := flow.take()) and not flow.ended:
            flow.wait()
        return chunk


def wsgi_input(flow: ToThread, ask: Callable[[], None]) -> io.BufferedReader:
    """Return the object for `environ["wsgi.input"]`."""
    return io.BufferedReader(RequestInput(flow, ask))
