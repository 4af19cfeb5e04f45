"""What a WSGI server's client gets where the ASGI app cannot answer: which error becomes which status.

All are logged; that a client left is nobody's mistake, so that line is for whoever looks for it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .._core._refusals import Refusal
from .._core._request_line import loggable
from ..exceptions import BadRequest, ClientDisconnected, RequestTimeout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..types import Environ, StartResponse

log = logging.getLogger("anysgi")

UNANSWERED = (RequestTimeout, BadRequest, ClientDisconnected)
"""What ends a request without the app's answer, and without a mistake of the app."""


class CutShort(BadRequest):
    """The client left in the middle of its upload; it is answered, as it may have closed only its half."""

    def __init__(self) -> None:
        super().__init__("The request body did not arrive whole.")


class Stopping(ClientDisconnected):
    """The app is being shut down, which it is told as if its client had left; the client has not."""

    def __init__(self) -> None:
        super().__init__("the app is shutting down")


def refuse(environ: Environ, start_response: StartResponse, error: Exception) -> Iterable[bytes]:
    """Answer, and log, one of `UNANSWERED`."""
    departed = isinstance(error, (ClientDisconnected, CutShort)) and not isinstance(error, Stopping)
    return answer(environ, start_response, _refusal_of(error), logging.DEBUG if departed else logging.WARNING)


def answer(
    environ: Environ, start_response: StartResponse, refusal: Refusal, level: int = logging.WARNING
) -> Iterable[bytes]:
    """Answer a refusal, and log it."""
    method, path = loggable(environ["REQUEST_METHOD"]), environ.get("PATH_INFO")
    log.log(level, "%s %r answered %s: %s", method, path, refusal.status_line, refusal.body.decode().rstrip())
    start_response(refusal.status_line, refusal.headers)
    return body_for(environ, refusal)


def body_for(environ: Environ, refusal: Refusal) -> Iterable[bytes]:
    """A refusal's body; a HEAD has none."""
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [refusal.body]


def _refusal_of(error: Exception) -> Refusal:
    if isinstance(error, BadRequest):
        return Refusal(error.status, error.reason)
    return Refusal(503, str(error)) if isinstance(error, ClientDisconnected) else Refusal(504)
