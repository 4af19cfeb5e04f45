"""`load_shed`: no more requests at once than the app can bear; those beyond are told at once."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from ._answers import problem
from ._layer import Flow, middleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._request import Request
    from ._response import Response


@middleware
def load_shed(*, limit: int, retry_after: int = 1) -> Callable[[Request], Flow]:
    """Answer 503 with Retry-After to requests beyond a number in flight (RFC 9110 section 15.6.4).

    A request is in flight until its last byte left.  The limit is one process's: four workers take four times as many.
    Name health checks with `skip=`, or put `health` outside.

    Args:
        limit: requests in flight at most.
        retry_after: seconds a client should wait.

    Raises:
        ValueError: `limit` is below 1.
    """
    if limit < 1:
        raise ValueError(f"load_shed(limit={limit}): write 1 or more")
    places = BoundedSemaphore(limit)

    def flow(request: Request) -> Flow:
        if not places.acquire(blocking=False):
            return problem(request, 503, "The server is busy.", [("retry-after", str(retry_after))])
        try:
            response: Response = yield request
            yield response
        finally:
            places.release()
        return None

    return flow
