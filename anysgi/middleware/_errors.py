"""`errors`: an answer for every exception that leaves the app before its head, and a line in the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .._core._request_line import loggable
from ..exceptions import BadRequest, RequestTimeout
from ._engine._layer import Flow, middleware
from ._engine._problems import render_problem
from ._engine._response import Response
from ._request_id import current_request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._engine._request import Request

log = logging.getLogger("anysgi.errors")


@middleware
def errors(
    request: Request,
    *,
    statuses: Mapping[type[Exception], int] | None = None,
    detail: str = "The server failed to answer. The failure has been logged.",
) -> Flow:
    """Answer exceptions in the media type the client asks for: problem+json (RFC 9457), HTML or text.

    Exceptions are logged with their traceback and not shown, except those with a status below 500, whose text is for
    the client.  One that comes after the head passes on, so that the server cuts the connection.  The request id is
    part of the answer where `request_id` stands further out.

    Args:
        statuses: status by exception class; the nearest class counts.  504 for `RequestTimeout`, 500 for the rest, if
            you say nothing else.
        detail: the sentence a client reads.
    """
    try:
        yield request
    except BadRequest as error:
        return _answer(request, error.status, error.reason)
    except Exception as error:
        named: dict[type, int] = {RequestTimeout: 504, **(statuses or {})}
        status = next((named[kind] for kind in type(error).__mro__ if kind in named), 500)
        if status >= 500:
            log.exception("%s %r failed", loggable(request.method), request.path)
        return _answer(request, status, detail if status >= 500 else str(error))
    return None


def _answer(request: Request, status: int, detail: str) -> Response:
    identifier = current_request_id()
    members = {} if identifier is None else {"request_id": identifier}
    content_type, body = render_problem(status, detail, request.headers.get("accept"), members)
    return Response(status, body, [("content-type", content_type), ("vary", "accept"), ("cache-control", "no-store")])
