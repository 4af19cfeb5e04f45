"""`WsgiRequest`: a request over an environ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core._header_views import EnvironHeaders
from ..._core._paths import asgi_paths, native_text, text_path, unnative_text, visible
from ._request import Request

if TYPE_CHECKING:
    from ...types import Environ


class WsgiRequest(Request):
    """A request over an environ (PEP 3333, "environ Variables")."""

    if not TYPE_CHECKING:
        __slots__ = ("environ",)

    @property
    def native(self) -> Environ:
        return self.environ

    @property
    def method(self) -> str:
        method: str = self.environ["REQUEST_METHOD"]
        return method

    @method.setter
    def method(self, method: str) -> None:
        self.environ["REQUEST_METHOD"] = method

    @property
    def path(self) -> str:
        return text_path(self.environ)

    @path.setter
    def path(self, path: str) -> None:
        info = path.removeprefix(self.root_path) if path.startswith(f"{self.root_path}/") else path
        self.environ["PATH_INFO"] = native_text(info)

    @property
    def raw_path(self) -> str:
        return visible(asgi_paths(self.environ)[2])

    def mount(self, prefix: str) -> None:
        self.root_path = prefix + self.root_path

    @property
    def root_path(self) -> str:
        return unnative_text(self.environ.get("SCRIPT_NAME") or "")

    @root_path.setter
    def root_path(self, root_path: str) -> None:
        self.environ["SCRIPT_NAME"] = native_text(root_path)

    @property
    def query(self) -> str:
        return str(self.environ.get("QUERY_STRING") or "")

    @query.setter
    def query(self, query: str) -> None:
        self.environ["QUERY_STRING"] = query

    @property
    def scheme(self) -> str:
        scheme: str = self.environ["wsgi.url_scheme"]
        return scheme

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        self.environ["wsgi.url_scheme"] = scheme

    @property
    def client(self) -> str | None:
        return self.environ.get("REMOTE_ADDR") or None

    @client.setter
    def client(self, client: str | None) -> None:
        self.environ["REMOTE_ADDR"] = client or ""

    @property
    def http_version(self) -> str:
        return str(self.environ["SERVER_PROTOCOL"]).removeprefix("HTTP/")

    @http_version.setter
    def http_version(self, http_version: str) -> None:
        self.environ["SERVER_PROTOCOL"] = f"HTTP/{http_version}"


def wsgi_request(environ: Environ) -> WsgiRequest:
    """View an environ."""
    request = WsgiRequest()
    request.environ = environ
    headers = request.headers = EnvironHeaders()
    headers.environ = environ
    request._body = request.bindings = request.limits = None
    return request
