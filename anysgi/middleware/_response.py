"""`Response`: a response head, not yet sent, and the body that will follow; made by a layer, or a view of the app's."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from .._core._fields import ByteHeaders, Headers, TextHeaders, TextList, byte_pairs, text_headers, text_pairs
from .._core._start_response import parse_status
from ._body import Body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..types import HeaderList, Message
    from ._wsgi_request import WsgiRequest


class Response:
    """An answer.  `response = yield request` gives the app's; `return Response(...)` answers instead.

    Args:
        status: HTTP status code.
        body: all of it; a `str` is sent as UTF-8, and as `text/plain` unless the headers have a Content-Type.
        headers: a mapping or (name, value) pairs.  Content-Length is the driver's to set.
    """

    if not TYPE_CHECKING:
        __slots__ = ("_body", "_headers", "_status")

    _headers: Headers | None
    _body: Body | None
    _status: int | None

    def __init__(
        self,
        status: int = 200,
        body: bytes | str = b"",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        self._status = status
        self._headers = text_headers(headers.items() if isinstance(headers, Mapping) else headers)
        if isinstance(body, str):
            self.headers.setdefault("content-type", "text/plain; charset=utf-8")
            body = body.encode()
        self._body = Body((body,))

    @property
    def status(self) -> int:
        """The status code; may be assigned.  After 204 or 304 the driver leaves the body out, as it does for HEAD."""
        return self._native_status() if self._status is None else self._status

    @status.setter
    def status(self, status: int) -> None:
        self._status = status

    @property
    def headers(self) -> Headers:
        """The response's headers."""
        headers = self._headers
        if headers is None:
            headers = self._headers = self._native_headers()
        return headers

    @property
    def body(self) -> Body:
        """The response's body: `.transform()`, `.observe()`, `.whole`, `.is_file`."""
        body = self._body
        if body is None:
            body = self._body = self._native_body()
        return body

    @property
    def length(self) -> int | None:
        """Bytes of body, if that is known by now: from the whole body, else from Content-Length."""
        whole = self.body.whole
        return content_length(self.headers) if whole is None else len(whole)

    def copy(self) -> Response:
        """A response of its own with the same contents: a layer may answer with one object again and again."""
        copy = Response(self.status, headers=list(self.headers))
        copy._body = self.body.copy()
        return copy

    def start_message(self) -> Message:
        """The head as ASGI sends it."""
        return {"type": "http.response.start", "status": self.status, "headers": byte_pairs(self.headers)}

    def start_arguments(self) -> tuple[str, TextList]:
        """The head as WSGI's `start_response` takes it."""
        return status_line(self.status), text_pairs(self.headers)

    def _native_status(self) -> int:
        raise NotImplementedError

    def _native_headers(self) -> Headers:
        raise NotImplementedError

    def _native_body(self) -> Body:
        return Body()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


class AppResponse(Response):
    """The app's own response: its parts are looked at when they are first asked for."""

    __slots__ = ()


class AsgiResponse(AppResponse):
    """Over a `http.response.start`."""

    __slots__ = ("_message",)

    def __init__(self, message: Message) -> None:
        self._message = message
        self._status = self._headers = self._body = None

    def _native_status(self) -> int:
        status: int = self._message["status"]
        return status

    def _native_headers(self) -> Headers:
        return ByteHeaders(self._message.get("headers") or [], self._own_headers)

    def _own_headers(self) -> HeaderList:
        raw: HeaderList = list(self._message.get("headers") or ())
        self._message = {**self._message, "headers": raw}
        return raw

    def start_message(self) -> Message:
        return self._message if self._status is None else {**self._message, "status": self._status}


class WsgiResponse(AppResponse):
    """Over the arguments of `start_response` and what the app returned."""

    __slots__ = ("_iterable", "_line", "_raw", "_request")

    def __init__(self, line: str, raw: TextList, iterable: object, request: WsgiRequest) -> None:
        self._line = line
        self._raw = raw
        self._iterable = iterable
        self._request = request
        self._status = self._headers = self._body = None

    def _native_status(self) -> int:
        return parse_status(self._line)

    def _native_headers(self) -> Headers:
        self._raw = list(self._raw)
        return TextHeaders(self._raw)

    def _native_body(self) -> Body:
        iterable, wrapper = self._iterable, self._request.environ.get("wsgi.file_wrapper")
        is_file = isinstance(wrapper, type) and isinstance(iterable, wrapper)
        # What there is to answer HEAD with does not say how long the body would be.
        known = isinstance(iterable, (list, tuple)) and self._request.method != "HEAD"
        return Body(iterable if known else None, is_file=is_file)  # type: ignore[arg-type]  # it is a list of bytes

    def start_arguments(self) -> tuple[str, TextList]:
        line = self._line if self._status is None else status_line(self._status)
        return line, self._raw


def content_length(headers: Headers) -> int | None:
    """The number in Content-Length; None if there is none."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def status_line(status: int) -> str:
    """The status as WSGI's `start_response` wants it."""
    return _LINES.get(status) or f"{status} Unknown"


_LINES = {int(status): f"{status.value} {status.phrase}" for status in HTTPStatus}
