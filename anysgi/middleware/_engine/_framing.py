"""What a stack's changes mean for Content-Length, and which responses have no body.

Source: RFC 9110 sections 8.6, 9.3.2, 15.3.5 and 15.4.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core._body_length import BODILESS
from ._body import is_changed

if TYPE_CHECKING:
    from ._request import Request
    from ._response import Response


def is_silent(request: Request, response: Response) -> bool:
    """Whether no body may be sent, whatever the app produces."""
    return response.status in BODILESS or request.method == "HEAD"


def set_length(response: Response, length: int | None, *, silent: bool) -> None:
    """Make Content-Length say what will be sent.

    Args:
        response: its body has been through all transforms if `length` is given.
        length: bytes of the complete body, None if unknown.
        silent: the body will not be sent.
    """
    changed = is_changed(response._body)
    if response.status == 204 or (changed and (silent or length is None)):
        response.headers.delete("content-length")
    elif length is not None and response.status != 304:
        if changed:
            response.headers.delete("transfer-encoding")  # a body has one end (RFC 9112 section 6.2)
        put = response.headers.set if changed else response.headers.setdefault
        put("content-length", str(length))
