"""A Django request and response as a layer sees them, over `HttpRequest.META`, `HttpResponse` and its cookies."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from .._core._fields import Headers
from .._core._header_views import environ_headers
from ._engine._body import Body, is_changed, is_used
from ._engine._response import AppResponse, Response
from ._engine._wsgi_input import StagedInput
from ._engine._wsgi_request import WsgiRequest

if TYPE_CHECKING:
    from collections.abc import Iterator


class DjangoRequest(WsgiRequest):
    """A request over `HttpRequest.META`, which is an environ under ASGI as well."""

    __slots__ = ("http",)

    def __init__(self, http: Any) -> None:
        self.http = http
        self.environ = http.META
        self.headers = environ_headers(http.META)
        self._body = self.bindings = self.limits = None

    @property
    def method(self) -> str:
        return str(self.http.method)

    @method.setter
    def method(self, method: str) -> None:
        self.http.method = self.environ["REQUEST_METHOD"] = method

    @property
    def path(self) -> str:
        return str(self.http.path)

    @path.setter
    def path(self, path: str) -> None:
        WsgiRequest.path.fset(self, path)  # type: ignore[attr-defined]  # a property, though a checker sees its type
        self.http.path = path
        self.http.path_info = path.removeprefix(self.root_path)

    @property
    def scheme(self) -> str:
        return str(self.http.scheme)

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        self.environ["wsgi.url_scheme"] = scheme
        self.http._get_scheme = lambda: scheme

    @property
    def http_version(self) -> str:
        scope = getattr(self.http, "scope", None)  # META does not say it under ASGI
        return str(self.environ.get("SERVER_PROTOCOL") or f"HTTP/{(scope or {}).get('http_version', '1.1')}")[5:]

    @http_version.setter
    def http_version(self, http_version: str) -> None:
        self.environ["SERVER_PROTOCOL"] = f"HTTP/{http_version}"

    def hand_on(self) -> Any:
        """The request for the next in the chain."""
        self.http.__dict__.pop("headers", None)  # cached, and perhaps no longer what META says
        if self._body is not None and is_used(self._body):
            staged = io.BufferedReader(StagedInput(self.http._stream, self._body, None))
            self.http._stream = io.BytesIO(staged.read()) if self._body.collected else staged
            if self._body.collected:
                self.environ["CONTENT_LENGTH"] = str(self.http._stream.getbuffer().nbytes)
            elif is_changed(self._body):
                self.environ.pop("CONTENT_LENGTH", None)
        return self.http


class DjangoHeaders(Headers):
    """`HttpResponse.headers`, one value a name, and `HttpResponse.cookies`."""

    __slots__ = ("_http",)

    def __init__(self, http: Any) -> None:
        self._http = http

    def getlist(self, name: str) -> list[str]:
        if name.lower() == "set-cookie":
            return [morsel.OutputString() for morsel in self._http.cookies.values()]
        value = self._http.headers.get(name)
        return [] if value is None else [value]

    def add(self, name: str, value: str) -> None:
        if name.lower() == "set-cookie":
            self._http.cookies.load(value)
        else:
            self._http.headers[name] = ", ".join([*self.getlist(name), value])

    def delete(self, name: str) -> None:
        if name.lower() == "set-cookie":
            self._http.cookies.clear()
        else:
            self._http.headers.pop(name, None)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        pairs = [(name.lower(), value) for name, value in self._http.headers.items()]
        return iter([*pairs, *(("set-cookie", value) for value in self.getlist("set-cookie"))])


class DjangoResponse(AppResponse):
    """Over an `HttpResponse`."""

    __slots__ = ("http",)

    def __init__(self, http: Any) -> None:
        self.http = http
        self.headers = DjangoHeaders(http)
        self._status = self._body = None

    def _native_status(self) -> int:
        return int(self.http.status_code)

    def _native_body(self) -> Body:
        is_file = getattr(self.http, "file_to_stream", None) is not None
        return Body(None if self.http.streaming else (self.http.content,), is_file=is_file)


def made(response: Response) -> DjangoResponse:
    """A layer's response as Django's."""
    from django.http import HttpResponse

    http = HttpResponse(response.body.whole, status=response.status)
    del http.headers["Content-Type"]
    made = DjangoResponse(http)
    made.headers.extend(response.headers)
    made.headers.setdefault("content-length", str(len(http.content)))
    made._body = response.body
    return made


def without_body(http: Any) -> Any:
    """The same head; what was to follow is closed."""
    from django.http import HttpResponse

    empty = HttpResponse(status=http.status_code)
    empty.headers, empty.cookies = http.headers, http.cookies
    http.close()
    return empty
