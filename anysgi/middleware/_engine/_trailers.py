"""Fields after the body: those of layers, and the app's own (ASGI spec, "HTTP Trailers"; RFC 9110 section 6.5).

A server that offers `http.response.trailers` waits, after the last byte of body, for what the head announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..._core._header_views import byte_headers

if TYPE_CHECKING:
    from ...types import Message
    from ._body import Body, Trailer
    from ._request import Request

TRAILERS = "http.response.trailers"


class Announced(NamedTuple):
    """What follows a body: fields of layers, and whether the app's own come after them."""

    fields: tuple[Trailer, ...]
    promised: bool

    def message(self) -> Message:
        """Those of the layers, whose values are known by now."""
        headers = byte_headers([])
        headers.extend((name, make()) for name, make in self.fields)
        return {"type": TRAILERS, "headers": headers.raw, "more_trailers": self.promised}


def announce(start: Message, body: Body | None, request: Request, *, silent: bool) -> tuple[Message, Announced | None]:
    """Say in a response's first message what will follow its body; the app's own fields not, where there is no body.

    Args:
        start: a `http.response.start`.
        body: with the fields that layers asked for.
        request: says whether anybody takes them.
        silent: no body will be sent.
    """
    promised = bool(start.get("trailers"))
    fields = body.trailers if body is not None and body.trailers and request.takes_trailers and not silent else ()
    if not (fields or promised):
        return start, None
    if not fields:
        return {**start, "trailers": not silent}, Announced((), promised)
    headers = byte_headers(start["headers"])
    headers.add("trailer", ", ".join(name for name, _ in fields))
    if request.http_version < "2":
        headers.delete("content-length")  # only a chunked body has a place for them (RFC 9112 section 7.1.2)
    return {**start, "headers": headers.raw, "trailers": True}, Announced(fields, promised)
