"""`Outcome`: how a response ended, told once to every layer that asked."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["complete", "error", "aborted"]


class Outcome(NamedTuple):
    """How a response ended.

    Attributes:
        kind: `"complete"`, the last byte was handed to the server; `"error"`, the app failed after its head was out;
            `"aborted"`, the client or the server ended it, or an outer layer put something else in its place.
        error: the exception, if there was one.
        bytes_sent: bytes of body handed to the server, as they left this stack.
        bytes_received: bytes of request body the app read; None unless a layer called `request.body.measure()`.
        first_byte: seconds from the request to its head being handed to the server; None if that never happened.
        duration: seconds from the request to this moment.
    """

    kind: Kind
    error: BaseException | None
    bytes_sent: int
    bytes_received: int | None
    first_byte: float | None
    duration: float
