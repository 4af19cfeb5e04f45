"""`timeout`: an answer in time, or 504; a stream that goes on, or a cut connection."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from ..exceptions import RequestTimeout
from ._engine._answers import problem
from ._engine._layer import Flow, middleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._engine._request import Request

DEADLINE_KEY = "anysgi.deadline"
"""Where the app finds the moment at which its head is late, by `time.monotonic()`: how long a query of its may take."""


@middleware
def timeout(*, head: float | None = 30.0, idle: float | None = None) -> Callable[[Request], Flow]:
    """Limit the time to the response head, and the time between two pieces of body; never the length of a stream.

    An ASGI app that is late is cancelled.  A WSGI app cannot be: its late head becomes a 504 when it comes, and a late
    piece of body ends the response; `WsgiToAsgi(timeout=...)` and the server's own limits are harder.  The moment, by
    `time.monotonic()`, is in `environ["anysgi.deadline"]` or `scope["anysgi.deadline"]`, for an app to hand on.

    Args:
        head: seconds to the head; then the answer is 504 (RFC 9110 section 15.6.5).  None: no limit.
        idle: seconds between two pieces of body; then the connection is cut.  None: no limit.

    Raises:
        ValueError: a limit that is not positive.
    """
    for name, limit in (("head", head), ("idle", idle)):
        if limit is not None and limit <= 0:
            raise ValueError(f"timeout({name}={limit:g}): write a positive number of seconds, or None")

    def flow(request: Request) -> Flow:
        request.deadline(head=head, idle=idle)
        if head is not None:
            request.native[DEADLINE_KEY] = monotonic() + head
        try:
            yield request
        except RequestTimeout:
            return problem(request, 504, "The server did not find an answer in time.")
        return None

    return flow
