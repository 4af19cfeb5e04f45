"""`Response`: a response head, not yet sent, and the body that will follow; made by a layer, or a view of the app's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..._core._header_views import (
    ByteHeaders,
    TextHeaders,
    byte_pairs,
    checked_headers,
    text_pairs,
)
from ..._core._headers import is_length
from ..._core._start_response import parse_status
from ..._core._status_line import STATUS_LINES, status_line
from ._body import Body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..._core._fields import Headers
    from ..._core._header_views import TextList
    from ...types import Environ, Message
    from ._wsgi_request import WsgiRequest


class Response:
    """An answer.  `response = yield request` gives the app's; `return Response(...)` answers instead.

    Args:
        status: HTTP status code.
        body: all of it; a `str` is sent as UTF-8, and as `text/plain` unless the headers have a Content-Type.
        headers: a mapping or (name, value) pairs.  Content-Length is the driver's to set.
    """

    if not TYPE_CHECKING:
        __slots__ = ("_body", "_status", "headers")

    headers: Headers
    """The response's headers, which have methods of their own."""
    _body: Body | None
    _status: int | None

    def __init__(
        self,
        status: int = 200,
        body: bytes | str = b"",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        self._status = status
        self.headers = checked_headers(headers.items() if isinstance(headers, Mapping) else headers)
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

    def _native_body(self) -> Body:
        return Body()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


class AppResponse(Response):
    """The app's own response; made by functions, as the views of its headers are."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __init__ = object.__init__  # what `Response` takes is a layer's to give


class AsgiResponse(AppResponse):
    """Over a `http.response.start`."""

    __slots__ = ("_message",)

    _message: Message
    headers: ByteHeaders

    def _native_status(self) -> int:
        status: int = self._message["status"]
        return status

    def start_message(self) -> Message:
        message = self._message
        if self.headers.is_own:
            message = {**message, "headers": self.headers.raw}
        return message if self._status is None else {**message, "status": self._status}


def asgi_response(message: Message, kind: type[AsgiResponse] = AsgiResponse) -> AsgiResponse:
    """View the message an app's response begins with."""
    response = kind()
    response._message = message
    headers = response.headers = ByteHeaders()
    headers.raw = message.get("headers") or []
    headers.is_own = False
    response._status = response._body = None
    return response


class WsgiResponse(AppResponse):
    """Over the arguments of `start_response` and what the app returned."""

    __slots__ = ("_iterable", "_line", "_request")

    _line: str
    _iterable: object
    _request: WsgiRequest
    headers: TextHeaders

    def _native_status(self) -> int:
        return _STATUSES.get(self._line) or parse_status(self._line)

    def _native_body(self) -> Body:
        iterable = self._iterable
        is_file = is_file_of(self._request.environ, iterable)
        # What there is to answer HEAD with does not say how long the body would be.
        known = isinstance(iterable, (list, tuple)) and self._request.method != "HEAD"
        return Body(iterable if known else None, is_file=is_file)  # type: ignore[arg-type]  # it is a list of bytes

    def start_arguments(self) -> tuple[str, TextList]:
        line = self._line if self._status is None else status_line(self._status)
        return line, self.headers.raw


def is_file_of(environ: Environ, iterable: object) -> bool:
    """Whether it is the server's own file wrapper, so that the server can send the file by itself (PEP 3333)."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(iterable, wrapper)


def wsgi_response(line: str, raw: TextList, request: WsgiRequest) -> WsgiResponse:
    """View what an app gave to `start_response`; what it returned may follow."""
    response = WsgiResponse()
    response._line = line
    headers = response.headers = TextHeaders()
    headers.raw = list(raw)
    response._request = request
    response._iterable = response._status = response._body = None
    return response


def content_length(headers: Headers) -> int | None:
    """The number in Content-Length; None if there is none."""
    text = headers.get("content-length", "")
    return int(text) if is_length(text) else None


_STATUSES = {line: status for status, line in STATUS_LINES.items()}
