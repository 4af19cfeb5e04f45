"""How many body bytes may still be sent: the rules of Content-Length, HEAD, 204 and 304, for both directions.

Sources: PEP 3333 "Handling the Content-Length Header"; RFC 9110 sections 8.6, 9.3.2, 15.3.5, 15.4.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import AppProtocolError, AppValueError

if TYPE_CHECKING:
    from ..types import HeaderList

BODILESS = (204, 304)
"""Statuses of responses that have no body."""


class BodyLength:
    """Counts one response's body.

    Args:
        method: the request's method.
        status: the response's status code.
        headers: the response's headers; Content-Length is taken out of a 204, where it is forbidden, and left once
            where it is repeated.

    Attributes:
        left: bytes that may still go out; None while the length is unknown.
        silent: no body may be sent at all, whatever the headers say (HEAD, 204, 304).

    Raises:
        AppValueError: Content-Length is not a number, or repeated with another value.
    """

    __slots__ = ("declared", "left", "silent")

    def __init__(self, method: str, status: int, headers: HeaderList) -> None:
        self.declared = _declared(headers)
        self.silent = status in BODILESS or method == "HEAD"
        self.left = 0 if self.silent else self.declared
        if status == 204 and self.declared is not None:
            headers[:] = [header for header in headers if header[0] != b"content-length"]

    def clip(self, chunk: bytes) -> bytes:
        """Return what of `chunk` may be sent, and count it."""
        left = self.left
        if left is None:
            return chunk
        if len(chunk) > left:
            chunk = chunk[:left]
        self.left = left - len(chunk)
        return chunk

    def finish(self) -> None:
        """Raise `AppProtocolError` if the body ended before its Content-Length: the connection must be cut."""
        if self.left:
            declared = self.declared or 0
            raise AppProtocolError(
                f"the app declared Content-Length: {declared} but sent {declared - self.left} bytes; "
                "send all of them or leave the header out"
            )


def _declared(headers: HeaderList) -> int | None:
    """Read the Content-Length; one that is repeated is left once, as granian cuts the connection at the second."""
    found: bytes | None = None
    repeated = False
    for name, value in headers:
        if name == b"content-length":
            repeated = found is not None
            if not value.isdigit() or len(value) > 19 or (found is not None and value != found):
                raise AppValueError(f"response Content-Length is not one number: {value[:40]!r}")
            found = value
    if found is None:
        return None
    if repeated:
        headers[:] = [header for header in headers if header[0] != b"content-length"]
        headers.append((b"content-length", found))
    return int(found)
