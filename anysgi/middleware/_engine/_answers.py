"""Answers a layer gives instead of the app: an error the client can read, and a body that was refused half-way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import BadRequest
from ._problems import render_problem
from ._response import Response

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from ._body import Transform
    from ._request import Request


def problem(request: Request, status: int, detail: str, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """Describe an error to the client, in the media type its Accept asks for."""
    content_type, body = render_problem(status, detail, request.headers.get("accept"))
    return Response(status, body, [("content-type", content_type), ("vary", "accept"), *headers])


class Guard:
    """A stage of a request body that remembers why it refused the rest.

    Frameworks turn an error out of a read into whatever they like; the layer looks here for the truth.
    """

    __slots__ = ("_inner", "refusal")

    def __init__(self, inner: Transform) -> None:
        self._inner = inner
        self.refusal: BadRequest | None = None

    def feed(self, data: bytes, /) -> bytes:
        try:
            return self._inner.feed(data)
        except BadRequest as error:
            self.refusal = error
            raise

    def flush(self) -> bytes:
        return self._inner.flush()

    def finish(self) -> bytes:
        try:
            return self._inner.finish()
        except BadRequest as error:
            self.refusal = error
            raise


def guarded(request: Request, guard: Guard) -> Generator[Request, Response, Response]:
    """Hand the request on through a guard; return the response to go on with.

    Where the guard refused the body, that is an answer of ours, unless the app found one of its own.
    """
    try:
        response = yield request
    except Exception:
        if guard.refusal is None:
            raise
    else:
        if guard.refusal is None or response.status < 500:
            return response
    return problem(request, guard.refusal.status, guard.refusal.reason)
