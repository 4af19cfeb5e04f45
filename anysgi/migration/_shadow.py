"""Where a comparison plugs into the router: it is shown requests and responses, and can neither delay nor change them.

`begin` is called for each request of a route with `shadow = "…"`, before the serving side sees it.  All methods are
called on the request's own thread or loop and must return at once; what they raise is logged and goes no further.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .._core._headers import is_length
from ..exceptions import ClientDisconnected

if TYPE_CHECKING:
    from ..types import Convention, HeaderList
    from ._table import Route, Side

log = logging.getLogger("anysgi.migration")


@dataclass(frozen=True, slots=True)
class ShadowRequest:
    """A request, as it is about to be served.

    Args:
        route: its route; `route.shadow` is what the table says.
        side: who serves it.
        method: in capitals.
        convention: the server's.
        apps: both sides, in that convention.
        make_scope: makes `scope`.
    """

    route: Route
    side: Side
    method: str
    convention: Convention
    apps: Mapping[Side, Any]
    make_scope: Callable[[], Mapping[str, Any]]

    @property
    def scope(self) -> Mapping[str, Any]:
        """An ASGI HTTP scope, whatever the server, made anew each time; the body comes through the observer.

        Read it in `begin`: the app that serves the request may change what it is made from.
        """
        return self.make_scope()


class Observer(Protocol):
    """Is shown one exchange, in order."""

    def request_body(self, chunk: bytes) -> None:
        """A piece of the request's body, as the serving side read it; what nobody reads is never shown."""

    def response_head(self, status: int, headers: HeaderList) -> None:
        """The head of the response that the client gets."""

    def response_body(self, chunk: bytes) -> None:
        """A piece of its body."""

    def end(self, error: BaseException | None) -> None:
        """The exchange is over; called once.

        Args:
            error: what the side raised; `ClientDisconnected` if not all of the response was seen, as its client left or
                the server sent a file by itself.
        """


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between the two sides, for the dashboard.

    Args:
        at: seconds since the epoch.
        route: the route's name.
        request: method and target.
        what: one line.
    """

    at: float
    route: str
    request: str
    what: str


class Shadow(Protocol):
    """Compares the two sides, somewhere else and later."""

    def begin(self, request: ShadowRequest) -> Observer | None:
        """Return who looks at this exchange; None if nobody does."""

    def latest(self) -> Sequence[Difference]:
        """The latest differences, newest first; a bounded list."""


class Guarded:
    """An observer that cannot harm: after its first exception it is shown nothing more.

    Args:
        observer: the shadow's.

    Attributes:
        whole: the response has come to its end; also if it has as many bytes as its Content-Length says.
    """

    __slots__ = ("_left", "_observer", "whole")

    def __init__(self, observer: Observer) -> None:
        self._observer: Observer | None = observer
        self._left = -1  # bytes up to the Content-Length; less than none where there is no such header
        self.whole = False

    def request_body(self, chunk: bytes) -> None:
        if chunk:
            self._tell(lambda observer: observer.request_body(chunk))

    def response_head(self, status: int, headers: HeaderList) -> None:
        self._left = next((int(value) for name, value in headers if name == b"content-length" and is_length(value)), -1)
        self._tell(lambda observer: observer.response_head(status, headers))

    def response_body(self, chunk: bytes) -> None:
        if chunk:
            self._left -= len(chunk)
            self._tell(lambda observer: observer.response_body(chunk))

    def end(self, error: BaseException | None) -> None:
        if error is None and not self.whole and self._left:
            error = ClientDisconnected("the client left before the response was whole")
        self._tell(lambda observer: observer.end(error))
        self._observer = None

    def _tell(self, news: Callable[[Observer], None]) -> None:
        if self._observer is not None:
            try:
                news(self._observer)
            except Exception:
                log.exception("the shadow's observer failed; the request goes on without it")
                self._observer = None


def begin(shadow: Shadow, request: ShadowRequest) -> Guarded | None:
    """Ask the shadow whether it wants to look; whatever it raises is logged."""
    try:
        observer = shadow.begin(request)
    except Exception:
        log.exception("the shadow failed; the request goes on without it")
        return None
    return None if observer is None else Guarded(observer)
