"""`Request`: one API over an environ and over a scope, which stay native and are changed in place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from ._body import Body
from ._deadline import Limits
from ._response import content_length

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from contextvars import ContextVar, Token

    from ..._core._fields import Headers
    from ...types import Environ

    T = TypeVar("T")
    Binding = tuple[ContextVar[Any], Any, Token[Any]]


class Request(ABC):
    """A request, as a layer sees and changes it: a thin view of the `environ` or `scope` the app will get.

    Every attribute can be assigned, except `headers` and `body`, which have methods of their own.  Under ASGI the scope
    is copied before the first change; under WSGI the environ is changed in place, as WSGI middleware always did.
    """

    if not TYPE_CHECKING:  # checkers take the annotated names below, properties of the subclasses, for missing slots
        __slots__ = ("_body", "bindings", "headers", "limits")

    _body: Body | None
    bindings: list[Binding] | None
    limits: Limits | None

    headers: Headers
    """The request's headers, which have methods of their own."""
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
    def takes_trailers(self) -> bool:
        """Whether fields can follow the response's body: ASGI servers may offer it, and the client must say so (TE)."""
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

    def bound(self) -> AbstractContextManager[None]:
        """Set the bound variables again, for as long as a part of the response is made in a frame of its own."""
        return _set_again(self.bindings) if self.bindings else _NOTHING_BOUND

    def unbind(self) -> None:
        """Put the old values back; for the driver, in the frame that called the app."""
        for var, _, token in reversed(self.bindings or ()):
            try:
                var.reset(token)
            except ValueError:  # bound in a task of the app's, whose context is its own
                pass

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.path}>"


_NOTHING_BOUND = nullcontext()


@contextmanager
def _set_again(bindings: list[Binding]) -> Iterator[None]:
    tokens = [(var, var.set(value)) for var, value, _ in bindings]
    try:
        yield
    finally:
        for var, token in reversed(tokens):
            var.reset(token)
