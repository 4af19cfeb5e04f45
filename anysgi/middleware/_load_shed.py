"""`load_shed`: no more requests at once than the app can bear; those beyond are told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._engine._answers import problem
from ._engine._dual import Dual
from ._engine._layer import Flow, middleware
from ._places import Places

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._engine._request import Request
    from ._engine._response import Response


@middleware(websocket=True)
def load_shed(*, limit: int, retry_after: int = 1, queue: int = 0, wait: float = 1.0) -> Callable[[Request], Flow]:
    """Answer 503 with Retry-After to requests beyond a number in flight (RFC 9110 section 15.6.4).

    A request is in flight until its last byte left, a WebSocket under ASGI until it is accepted: one that is open and
    silent is no load.  The limit is one process's: four workers take four times as many.
    Name health checks with `skip=`, or put `health` outside.

    Args:
        limit: requests in flight at most.
        retry_after: seconds a client should wait.
        queue: requests that may wait for one in flight to end, in order; under ASGI only, as WSGI servers have a line
            of their own before their threads.
        wait: seconds they wait at most.

    Raises:
        ValueError: `limit` is below 1.
    """
    if limit < 1:
        raise ValueError(f"load_shed(limit={limit}): write 1 or more")
    places = Places(limit)
    line = Dual(sync=lambda *_: False, asynchronous=places.wait)

    def flow(request: Request) -> Flow:
        if not places.take() and not (queue and (yield line(wait, queue))):
            return problem(request, 503, "The server is busy.", [("retry-after", str(retry_after))])
        try:
            response: Response = yield request
            if not request.is_websocket:
                yield response
        finally:
            places.leave()
        return None

    return flow
