"""`Response`: a response head, not yet sent, and the body that will follow; made by a layer, or a view of the app's."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from .._core._fields import ByteHeaders, Headers, TextHeaders, byte_pairs, text_headers, text_pairs
from .._core._start_response import parse_status
from ._body import Body

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..types import HeaderList, Message


class Response:
    """An answer.  `response = yield request` gives the app's; `return Response(...)` answers instead.

    Args:
        status: HTTP status code.
        body: all of it; a `str` is sent as UTF-8, and as `text/plain` unless the headers have a Content-Type.
        headers: a mapping or (name, value) pairs.  Content-Length is the driver's to set.

    Attributes:
        status: may be assigned.  After 204 or 304 the driver leaves the body out, as it does for HEAD.
    """

    __slots__ = ("_body", "_headers", "status")

    _headers: Headers | None
    _body: Body | None

    def __init__(
        self,
        status: int = 200,
        body: bytes | str = b"",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        self.status = status
        pairs = headers.items() if hasattr(headers, "items") else headers
        self._headers = text_headers(pairs)
        if isinstance(body, str):
            self._headers.setdefault("content-type", "text/plain; charset=utf-8")
            body = body.encode()
        self._body = Body((body,))

    @property
    def headers(self) -> Headers:
        """The response's headers."""
        headers = self._headers
        if headers is None:
            headers = self._headers = self._native_headers()
        return headers

    def _native_headers(self) -> Headers:
        return text_headers(())

    @property
    def body(self) -> Body:
        """The response's body: `.transform()`, `.observe()`, `.whole`, `.is_file`."""
        body = self._body
        if body is None:
            body = self._body = self._native_body()
        return body

    def _native_body(self) -> Body:
        return Body()

    @property
    def length(self) -> int | None:
        """Bytes of body, if that is known by now: from the whole body, else from Content-Length."""
        whole = self.body.whole
        if whole is not None:
            return len(whole)
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None

    def start_message(self) -> Message:
        """The head as ASGI sends it."""
        headers = byte_pairs(self.headers)
        return {"type": "http.response.start", "status": self.status, "headers": headers}

    def start_arguments(self) -> tuple[str, list[tuple[str, str]]]:
        """The head as WSGI's `start_response` takes it."""
        return status_line(self.status), text_pairs(self.headers)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


def status_line(status: int) -> str:
    return _LINES.get(status) or f"{status} Unknown"


_LINES = {int(status): f"{status.value} {status.phrase}" for status in HTTPStatus}


class AsgiResponse(Response):
    """The app's response, over its `http.response.start`."""

    __slots__ = ("_message",)

    def __init__(self, message: Message) -> None:
        self._message = message
        self.status = message["status"]
        self._headers = self._body = None

    def _native_headers(self) -> Headers:
        return ByteHeaders(self._message.get("headers") or [], self._own_headers)

    def _own_headers(self) -> HeaderList:
        raw: HeaderList = list(self._message.get("headers") or ())
        self._message = {**self._message, "headers": raw}
        return raw

    @property
    def is_new_status(self) -> bool:
        """Whether a layer changed the app's status."""
        return bool(self._message["status"] != self.status)

    def start_message(self) -> Message:
        return {**self._message, "status": self.status} if self.is_new_status else self._message


class WsgiResponse(Response):
    """The app's response, over the arguments of its `start_response` and what it returned."""

    __slots__ = ("_is_file", "_iterable", "_line", "_raw")

    def __init__(self, line: str, raw: list[tuple[str, str]], iterable: object, is_file: bool) -> None:
        self._line = line
        self._raw = raw
        self._iterable = iterable
        self._is_file = is_file
        self.status = parse_status(line)
        self._headers = self._body = None

    def _native_headers(self) -> Headers:
        return TextHeaders(list(self._raw))

    def _native_body(self) -> Body:
        iterable = self._iterable
        return Body(iterable if isinstance(iterable, (list, tuple)) else None, is_file=self._is_file)

    @property
    def is_new_status(self) -> bool:
        """Whether a layer changed the app's status."""
        return self._line[:3] != str(self.status)

    def start_arguments(self) -> tuple[str, list[tuple[str, str]]]:
        line = status_line(self.status) if self.is_new_status else self._line
        return line, self._raw if self._headers is None else text_pairs(self._headers)
