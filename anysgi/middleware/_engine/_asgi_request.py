"""`AsgiRequest`: a request over a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._core._header_views import ScopeHeaders
from ..._core._headers import latin1
from ..._core._paths import query_text, quoted_path, visible
from ._request import Request

if TYPE_CHECKING:
    from ...types import Scope


class AsgiRequest(Request):
    """A request over a scope (ASGI spec, "HTTP Connection Scope" and "WebSocket Connection Scope")."""

    if not TYPE_CHECKING:
        __slots__ = ("_is_own", "current")

    current: Scope
    """The server's scope until something is changed, then a copy of it."""
    headers: ScopeHeaders
    _is_own: bool

    @property
    def scope(self) -> dict[str, Any]:  # type: ignore[override]  # read-only on purpose: assign to its keys
        if not self._is_own:
            self.current, self._is_own = dict(self.current), True
        if self.headers.is_own:  # they were changed
            self.current["headers"], self.headers.is_own = self.headers.raw, False
        return self.current  # type: ignore[return-value]  # it is a dict by now

    def hand_on(self) -> Scope:
        """The scope for the app."""
        return self.scope if self.headers.is_own else self.current

    @property
    def native(self) -> dict[str, Any]:
        return self.scope

    @property
    def is_websocket(self) -> bool:
        return bool(self.current["type"] == "websocket")

    @property
    def takes_trailers(self) -> bool:
        offered = "http.response.trailers" in (self.current.get("extensions") or {})
        return offered and self.headers.has_token("te", "trailers")

    @property
    def method(self) -> str:
        return self.current.get("method") or "GET"

    @method.setter
    def method(self, method: str) -> None:
        self.scope["method"] = method

    @property
    def path(self) -> str:
        path: str = self.current["path"]
        return path

    @path.setter
    def path(self, path: str) -> None:
        self.scope["path"] = path
        self.scope["raw_path"] = quoted_path(path)

    @property
    def raw_path(self) -> str:
        raw: bytes | None = self.current.get("raw_path")
        return visible((raw or quoted_path(self.path)).partition(b"?")[0])

    def mount(self, prefix: str) -> None:
        raw = quoted_path(prefix) + self.raw_path.encode()
        self.root_path, self.path = prefix + self.root_path, prefix + self.path
        self.scope["raw_path"] = raw

    @property
    def root_path(self) -> str:
        return self.current.get("root_path") or ""

    @root_path.setter
    def root_path(self, root_path: str) -> None:
        self.scope["root_path"] = root_path

    @property
    def query(self) -> str:
        return query_text(self.current)

    @query.setter
    def query(self, query: str) -> None:
        self.scope["query_string"] = latin1(query)

    @property
    def scheme(self) -> str:
        return self.current.get("scheme") or "http"

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        self.scope["scheme"] = scheme

    @property
    def client(self) -> str | None:
        client = self.current.get("client")
        return str(client[0]) if client and client[0] else None

    @client.setter
    def client(self, client: str | None) -> None:
        self.scope["client"] = None if client is None else (client, 0)

    @property
    def http_version(self) -> str:
        return self.current.get("http_version") or "1.1"

    @http_version.setter
    def http_version(self, http_version: str) -> None:
        self.scope["http_version"] = http_version


def asgi_request(scope: Scope) -> AsgiRequest:
    """View a scope."""
    request = AsgiRequest()
    request.current = scope
    headers = request.headers = ScopeHeaders()
    headers.raw = scope["headers"]
    headers.is_own = request._is_own = False
    request._body = request.bindings = request.limits = None
    return request
