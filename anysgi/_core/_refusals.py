"""The short plain answers an adapter gives itself: 400, 413, 426, 500, 501, 503, 504, in either convention."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ._status_line import status_line

if TYPE_CHECKING:
    from ..types import Message


class Refusal:
    """A complete reply made by the adapter, not by the app.

    Args:
        status: HTTP status code.
        detail: one line of text for the client; the status phrase unless given.
        retry_after: seconds for a Retry-After header (RFC 9110 section 10.2.3).
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, detail: str = "", retry_after: int | None = None) -> None:
        self.status = status
        self.body = ((detail or self.status_line.partition(" ")[2]) + "\n").encode()
        self.headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(self.body)))]
        if status == HTTPStatus.UPGRADE_REQUIRED:
            self.headers.append(("sec-websocket-version", "13"))  # RFC 6455 section 4.4
        if retry_after is not None:
            self.headers.append(("retry-after", str(retry_after)))

    @property
    def status_line(self) -> str:
        """The status as WSGI's `start_response` wants it."""
        return status_line(self.status)

    @property
    def messages(self) -> list[Message]:
        """The reply as ASGI messages."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        return [
            {"type": "http.response.start", "status": self.status, "headers": headers},
            {"type": "http.response.body", "body": self.body},
        ]
