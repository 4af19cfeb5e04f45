"""What a client gets where the app cannot answer: which of our own errors become which status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._bridge._pool import PoolFull
from .._core._refusals import Refusal
from ..exceptions import BadRequest, RequestTimeout

if TYPE_CHECKING:
    from .._bridge._port import Port
    from ..types import Receive, Send


class QueueTimeout(Exception):
    """The request waited longer than `queue_timeout` seconds for a thread."""


def refusal_of(error: Exception) -> Refusal | None:
    """Return the answer to a request that ended like this; None if there is nobody to answer."""
    if isinstance(error, BadRequest):
        return Refusal(error.status, error.reason)
    if isinstance(error, (PoolFull, QueueTimeout)):
        return Refusal(503, "The server is busy; try again soon.", retry_after=1)
    return Refusal(504, "The app took too long.") if isinstance(error, RequestTimeout) else None


async def answer(port: Port, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Send a refusal of a request that nothing else reads; see `_request_pump` for why its upload is read meanwhile."""
    head, body = refusal.messages
    await send(head)
    reading = port.spawn(_throw_away(receive))
    try:
        await send(body)
    finally:
        await port.stop(reading)


async def _throw_away(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass
