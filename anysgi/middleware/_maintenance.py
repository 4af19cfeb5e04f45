"""`maintenance`: 503 for everybody while something is being done, but not for those who do it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ._engine._answers import problem
from ._engine._layer import middleware
from ._forwarded import Networks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._engine._request import Request
    from ._engine._response import Response


@middleware(websocket=True)
def maintenance(
    *,
    on: Callable[[], bool] | Path | str | bool,
    retry_after: int = 300,
    allow: Iterable[str] = (),
    detail: str = "Down for maintenance. Please come back soon.",
) -> Callable[[Request], Response | None]:
    """Answer 503 with Retry-After while the switch is on (RFC 9110 section 15.6.4), WebSocket handshakes too.

    Args:
        on: the switch: a function, or the path of a file that exists while it is on, so that one `touch` is seen by all
            processes of a host.
        retry_after: seconds a client should wait.
        allow: addresses and networks that get through.
        detail: the sentence a visitor reads.

    Raises:
        ValueError: what is neither an address nor a network.
    """
    if isinstance(on, str | Path):
        on = Path(on).exists
    is_on: Callable[[], bool] = on if callable(on) else lambda: bool(on)
    allowed = Networks(allow)

    def guard(request: Request) -> Response | None:
        if is_on() and (request.client or "") not in allowed:
            return problem(request, 503, detail, [("retry-after", str(retry_after)), ("cache-control", "no-store")])
        return None

    return guard
