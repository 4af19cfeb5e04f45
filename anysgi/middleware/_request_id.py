"""`request_id`: every request has an id, which the client, the app and the log agree on."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING
from uuid import uuid4

from ._engine._layer import middleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._engine._layer import Flow
    from ._engine._request import Request
    from ._engine._response import Response

_current: ContextVar[str | None] = ContextVar("anysgi.request_id", default=None)
_ACCEPTED = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def current_request_id() -> str | None:
    """Return the id of the request this code runs for; None outside of one."""
    return _current.get()


class RequestIdFilter(logging.Filter):
    """Gives every log record a `request_id`, for formats such as `"%(request_id)s %(message)s"`.

    Args:
        default: what stands there outside of a request.
    """

    def __init__(self, default: str = "-") -> None:
        super().__init__()
        self.default = default

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attribute; never drop the record."""
        record.request_id = _current.get() or self.default
        return True


def new_id() -> str:
    """Return 32 random hexadecimal digits, which also are a W3C trace id."""
    return uuid4().hex


@middleware(websocket=True)
def request_id(
    request: Request,
    *,
    header: str = "X-Request-ID",
    trusted: bool = True,
    generate: Callable[[], str] = new_id,
    validate: Callable[[str], object] = _ACCEPTED.fullmatch,
    traceparent: bool = False,
    transform: Callable[[str], str] | None = None,
) -> Flow:
    """Give every request an id: in its own headers, in the response, in `current_request_id()` and in the log.

    Args:
        header: the name of the header, in the request and in the response.
        trusted: take the id that comes with the request, if it is valid; else always make a new one.
        generate: makes an id.
        validate: whether an id of a client may be used; by default up to 128 harmless characters.
        traceparent: where no id came, take the trace id of a valid `traceparent` (W3C Trace Context).
        transform: makes of an id, a client's or a new one, the one that is used.
    """
    headers = request.headers
    given = headers.get(header) if trusted else None
    if given is None and trusted and traceparent:
        found = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
        given = found[1] if found else None
    is_valid = given is not None and given.isprintable() and validate(given)
    current = given if given is not None and is_valid else generate()
    if transform is not None:
        current = transform(current)
    if current != given or header not in headers:
        headers.set(header, current)
    request.bind(_current, current)
    response: Response = yield request
    response.headers.set(header, current)
