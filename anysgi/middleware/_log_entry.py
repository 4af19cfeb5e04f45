"""One request as `access_log` knows it: how it came, how it ended, and as one JSON object."""

from __future__ import annotations

import logging
import re
from datetime import datetime, tzinfo
from functools import lru_cache
from time import perf_counter, time
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from .._core._paths import quoted_path
from ._capture import REDACTED
from ._engine._outcome import Outcome
from ._names import lowered
from ._request_id import current_request_id
from ._routes import route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ._engine._outcome import Kind
    from ._engine._request import Request
    from ._engine._response import Response


class Entry:
    """One request: as it came, since the app may change it, and how it ended.  What a line needs is made from that."""

    __slots__ = (
        *("_hide", "_started", "client", "http_version", "method", "outcome"),
        *("path", "query", "request", "response"),
    )

    outcome: Outcome

    def __init__(self, request: Request, hide: Callable[[str], str] | None) -> None:
        self.request, self._hide = request, hide
        self.method, self.path, self.query = request.method, request.path, request.query
        self.client, self.http_version = request.client, request.http_version
        self.response: Response | None = None
        self._started = perf_counter()
        if hide is not None:
            self.query = hide(self.query)

    def failed(self, error: BaseException) -> None:
        """Note that it ended before there was a response."""
        kind: Kind = "error" if isinstance(error, Exception) else "aborted"
        self.outcome = Outcome(kind, error, 0, None, None, perf_counter() - self._started)

    @property
    def status(self) -> int:
        """Of the response; 500 if there was none."""
        return self.response.status if self.response else 500

    @property
    def target(self) -> str:
        """Path and query, percent-encoded."""
        return quoted_path(self.path).decode() + (f"?{self.query}" if self.query else "")

    @property
    def referer(self) -> str | None:
        """Where the client says it comes from."""
        found = self.request.headers.get("referer")
        return found if found is None or self._hide is None else self._hide(found)

    @property
    def began(self) -> float:
        """When it came, in seconds since the epoch."""
        return time() - self.outcome.duration

    def severity(self, level: int, slow: float | None) -> int:
        """The level to log at."""
        if self.outcome.kind == "error" or self.status >= 500:
            return max(level, logging.ERROR)
        stays = self.status == 101  # a WebSocket that was accepted
        late = slow is not None and self.outcome.duration >= slow and not stays
        return max(level, logging.WARNING) if late else level

    def fields(self) -> dict[str, object]:
        """The entry as one JSON object; times in seconds, sizes in bytes."""
        outcome, began = self.outcome, self.began
        return {
            "time": datetime.fromtimestamp(began, zone(int(began))).isoformat(timespec="milliseconds"),
            "client": self.client,
            "method": self.method,
            "target": self.target,
            "http_version": self.http_version,
            "status": self.status,
            "outcome": outcome.kind,
            "error": outcome.error and type(outcome.error).__name__,
            "bytes_sent": outcome.bytes_sent,
            "bytes_received": outcome.bytes_received,
            "first_byte": _rounded(outcome.first_byte),
            "duration": _rounded(outcome.duration),
            "route": route_of(self.request),
            "referer": self.referer,
            "user_agent": self.request.headers.get("user-agent"),
            "request_id": current_request_id(),
        }


@lru_cache(64)  # requests come many in a second
def zone(second: int) -> tzinfo | None:
    """The local time zone at a second since the epoch."""
    return datetime.fromtimestamp(second).astimezone().tzinfo


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


_NAME = re.compile(r"(?<![^?&;])([^?&;#=]+)=")
_END = re.compile("[&;#]")


def hider(names: Collection[str]) -> Callable[[str], str]:
    """Make the function that takes the values of some parameters out of a query or a URL."""
    secret = lowered(names)

    def hide(text: str) -> str:
        shown, at = "", 0
        for found in _NAME.finditer(text):
            name = unquote_plus(found[1])  # browsers write `user[password]` with percent signs
            if found.start() >= at and name.lower() in secret:
                shown += text[at : found.end()] + REDACTED
                end = _END.search(text, found.end())
                at = end.start() if end else len(text)
        return shown + text[at:]

    return hide
