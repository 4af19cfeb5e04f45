"""`Request`: one API over an environ and over a scope, which stay native and are changed in place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from .._core._fields import ByteHeaders, EnvironHeaders, Headers
from .._core._headers import latin1
from .._core._paths import asgi_paths, native_text, query_text, quoted_path, text_path, unnative_text
from ._body import Body
from ._deadline import Limits
from ._response import content_length

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextvars import ContextVar, Token

    from ..types import Environ, HeaderList, Scope

    T = TypeVar("T")


class Request(ABC):
    """A request, as a layer sees and changes it: a thin view of the `environ` or `scope` the app will get.

    Every attribute can be assigned, except `headers` and `body`, which have methods of their own.  Under ASGI the scope
    is copied before the first change; under WSGI the environ is changed in place, as WSGI middleware always did.
    """

    if not TYPE_CHECKING:  # checkers take the annotated names below, properties of the subclasses, for missing slots
        __slots__ = ("_body", "_headers", "bindings", "limits")

    _body: Body | None
    _headers: Headers | None
    bindings: list[tuple[ContextVar[Any], Any, Token[Any]]] | None
    limits: Limits | None

    method: str
    """`"GET"`, `"POST"`…, in capitals; `"GET"` for a WebSocket."""
    path: str
    """The decoded path, `root_path` included."""
    root_path: str
    """The prefix the app is mounted under, without a slash at its end (WSGI: SCRIPT_NAME)."""
    query: str
    """What follows the `?`, still percent-encoded."""
    scheme: str
    """`"http"` or `"https"`; `"ws"` or `"wss"` for a WebSocket."""
    client: str | None
    """The address of the peer, without its port; None where the server does not know it."""
    http_version: str
    """`"1.0"`, `"1.1"`, `"2"`…"""
    environ: Environ
    """The environ, under WSGI; `AttributeError` under ASGI."""
    scope: dict[str, Any]
    """The scope, under ASGI, as a copy that is free to be changed; `AttributeError` under WSGI."""

    @property
    @abstractmethod
    def raw_path(self) -> str:
        """The path as the client wrote it, percent-encoded; it follows when `path` is assigned."""

    @abstractmethod
    def mount(self, prefix: str) -> None:
        """Put back a prefix of the path that a proxy took off: `root_path` and the paths begin with it from here on."""

    @property
    @abstractmethod
    def native(self) -> dict[str, Any]:
        """The `environ` or the `scope` itself, free to be changed: a place for keys such as `"anysgi.request_id"`."""

    @property
    def is_websocket(self) -> bool:
        """Whether this is a WebSocket handshake, which only layers declared with `websocket=True` see."""
        return False

    @property
    def body(self) -> Body:
        """The request's body, which the app will read: `.transform()`, `.observe()` and `.measure()`."""
        body = self._body
        if body is None:
            body = self._body = Body()
        return body

    @property
    def length(self) -> int | None:
        """Bytes of body the client announced; None if it did not, or not with a number."""
        return content_length(self.headers)

    @property
    def host(self) -> str:
        """The Host header as it came, port and all; empty if there is none."""
        return self.headers.get("host", "")

    def bind(self, var: ContextVar[T], value: T) -> None:
        """Set a context variable for the rest of this request: inner layers, the app, its body, every outcome.

        The driver sets it in the frame that calls the app, and puts the old value back there.  Never hold a token of
        `var.set()` across a `yield`.
        """
        if self.bindings is None:
            self.bindings = []
        self.bindings.append((var, value, var.set(value)))

    def deadline(self, *, head: float | None = None, idle: float | None = None) -> None:
        """Limit how long the app may take; the tighter limit wins.  To be called before `yield request`.

        Under ASGI an app that is late is cancelled.  A WSGI app cannot be: it is looked at when its head comes, and
        between two pieces of body.  Not for WebSockets.

        Args:
            head: seconds to the response head; then `RequestTimeout` is raised at `yield request`.
            idle: seconds between two pieces of body; then `RequestTimeout` is raised to the server.
        """
        known = self.limits or Limits()
        self.limits = Limits(
            known.head if head is None else min(head, known.head), known.idle if idle is None else min(idle, known.idle)
        )

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Set the bound variables again, for as long as a part of the response is made in a frame of its own."""
        tokens = [(var, var.set(value)) for var, value, _ in self.bindings or ()]
        try:
            yield
        finally:
            for var, token in reversed(tokens):
                var.reset(token)

    def unbind(self) -> None:
        """Put the old values back; for the driver, in the frame that called the app."""
        for var, _, token in reversed(self.bindings or ()):
            try:
                var.reset(token)
            except ValueError:  # bound in a task of the app's, whose context is its own
                pass

    @property
    def headers(self) -> Headers:
        """The request's headers."""
        headers = self._headers
        if headers is None:
            headers = self._headers = self._native_headers()
        return headers

    @abstractmethod
    def _native_headers(self) -> Headers: ...

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.path}>"


class WsgiRequest(Request):
    """A request over an environ (PEP 3333, "environ Variables")."""

    if not TYPE_CHECKING:
        __slots__ = ("environ",)

    def __init__(self, environ: Environ) -> None:
        self.environ = environ
        self._headers = self._body = self.bindings = self.limits = None

    @property
    def native(self) -> Environ:
        return self.environ

    def _native_headers(self) -> Headers:
        return EnvironHeaders(self.environ)

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
        return str(asgi_paths(self.environ)[2], "ascii")

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


class AsgiRequest(Request):
    """A request over a scope (ASGI spec, "HTTP Connection Scope" and "WebSocket Connection Scope")."""

    if not TYPE_CHECKING:
        __slots__ = ("_owned", "current")

    def __init__(self, scope: Scope) -> None:
        self.current = scope  # what the app gets: the server's scope until something is changed
        self._owned = False
        self._headers = self._body = self.bindings = self.limits = None

    @property
    def scope(self) -> dict[str, Any]:  # type: ignore[override]  # read-only on purpose: assign to its keys
        if not self._owned:
            self.current, self._owned = dict(self.current), True
        return self.current  # type: ignore[return-value]  # it is a dict by now

    @property
    def native(self) -> dict[str, Any]:
        return self.scope

    @property
    def is_websocket(self) -> bool:
        return bool(self.current["type"] == "websocket")

    def _native_headers(self) -> Headers:
        return ByteHeaders(self.current["headers"], self._own_headers)

    def _own_headers(self) -> HeaderList:
        headers: HeaderList = list(self.current["headers"])
        self.scope["headers"] = headers
        return headers

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
        return str(raw or quoted_path(self.path), "ascii", "replace").partition("?")[0]

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
