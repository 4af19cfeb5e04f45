"""`access_log`: one line a request, written when it is over, with what really happened."""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING

from .._core._paths import quoted_path
from ._layer import middleware
from ._request_id import current_request_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._layer import Flow
    from ._outcome import Outcome
    from ._request import Request
    from ._response import Response

COMMON = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s'
COMBINED = COMMON + ' "%(f)s" "%(a)s"'
_FORMATS = {"common": COMMON, "combined": COMBINED, "json": "json"}


@middleware
def access_log(
    *,
    format: str = "combined",
    logger: str = "anysgi.access",
    level: int = logging.INFO,
    slow: float | None = None,
) -> Callable[[Request], Flow]:
    """Log every request once, at its end: with its outcome, the bytes sent, the time to the head and in all.

    Args:
        format: `"common"`, `"combined"`, `"json"`, or a line of gunicorn's atoms: `%(h)s %(r)s %(s)s %(B)s %(D)s
            %({user-agent}i)s %({etag}o)s`; beside them `%(O)s` the outcome, `%(F)s` microseconds to the head, `%(i)s`
            the request id.
        logger: the name of the logger.
        level: at which to log; responses with status 500 and above, and those that failed, get `ERROR`.
        slow: seconds after which a request is logged as `WARNING`.

    Raises:
        ValueError: a format that cannot be filled in.
    """
    line = _FORMATS.get(format, format)
    try:
        line % _Names()
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"access_log(format={format!r}): {error}") from None
    log = logging.getLogger(logger)

    def write(entry: Entry) -> None:
        severity = entry.severity(level, slow)
        if log.isEnabledFor(severity):
            log.log(severity, "%s", json.dumps(entry.fields()) if line == "json" else line % Atoms(entry))

    def flow(request: Request) -> Flow:
        request.body.measure()
        entry = Entry(request)
        try:
            entry.response = response = yield request
        except BaseException as error:
            entry.ended(error)
            write(entry)
            raise
        outcome: Outcome = yield response
        entry.ended(outcome.error, outcome)
        write(entry)

    return flow


class Entry:
    """What is known of one request at its end."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.target = quoted_path(request.path).decode() + (f"?{request.query}" if request.query else "")
        self.method, self.client, self.http_version = request.method, request.client, request.http_version
        self.time = datetime.now().astimezone()
        self.response: Response | None = None
        self._started = perf_counter()

    def ended(self, error: BaseException | None, outcome: Outcome | None = None) -> None:
        """Note how it ended; without an outcome, before there was a response."""
        self.error = error
        self.kind = outcome.kind if outcome else "error" if isinstance(error, Exception) else "aborted"
        self.status = self.response.status if self.response else 500
        self.sent = outcome.bytes_sent if outcome else 0
        self.received = outcome.bytes_received if outcome else None
        self.first_byte = outcome.first_byte if outcome else None
        self.duration = outcome.duration if outcome else perf_counter() - self._started

    def severity(self, level: int, slow: float | None) -> int:
        """The level to log at."""
        if self.kind == "error" or self.status >= 500:
            return max(level, logging.ERROR)
        return max(level, logging.WARNING) if slow is not None and self.duration >= slow else level

    def fields(self) -> dict[str, object]:
        """The entry as one JSON object; times in seconds, sizes in bytes."""
        return {
            "time": self.time.isoformat(timespec="milliseconds"),
            "client": self.client,
            "method": self.method,
            "target": self.target,
            "http_version": self.http_version,
            "status": self.status,
            "outcome": self.kind,
            "error": self.error and type(self.error).__name__,
            "bytes_sent": self.sent,
            "bytes_received": self.received,
            "first_byte": _rounded(self.first_byte),
            "duration": _rounded(self.duration),
            "referer": self.request.headers.get("referer"),
            "user_agent": self.request.headers.get("user-agent"),
            "request_id": current_request_id(),
        }


class Atoms:
    """The names a format may use, as a mapping for the `%` operator: only what is asked for is looked up."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def __getitem__(self, name: str) -> object:
        entry = self._entry
        if name.startswith("{") and name.endswith(("}i", "}o")):
            source = entry.request if name[-1] == "i" else entry.response
            return _safe(source.headers.get(name[1:-2]) if source is not None else None)
        return _safe(_ATOMS[name](entry))


class _Names:
    """Stands in for `Atoms` while there is no request."""

    def __getitem__(self, name: str) -> int:
        if name not in _ATOMS and not (name.startswith("{") and name.endswith(("}i", "}o"))):
            raise ValueError(f"%({name})s is none of {' '.join(_ATOMS)} {{header}}i {{header}}o")
        return 0


_ATOMS: dict[str, Callable[[Entry], object]] = {
    "h": lambda entry: entry.client,
    "l": lambda entry: None,
    "u": lambda entry: None,
    "t": lambda entry: entry.time.strftime("[%d/%b/%Y:%H:%M:%S %z]"),
    "r": lambda entry: f"{entry.method} {entry.target} HTTP/{entry.http_version}",
    "m": lambda entry: entry.method,
    "U": lambda entry: entry.target.partition("?")[0],
    "q": lambda entry: entry.target.partition("?")[2],
    "H": lambda entry: f"HTTP/{entry.http_version}",
    "s": lambda entry: entry.status,
    "B": lambda entry: entry.sent,
    "b": lambda entry: entry.sent or None,
    "I": lambda entry: entry.received,
    "f": lambda entry: entry.request.headers.get("referer"),
    "a": lambda entry: entry.request.headers.get("user-agent"),
    "T": lambda entry: int(entry.duration),
    "D": lambda entry: int(entry.duration * 1e6),
    "M": lambda entry: int(entry.duration * 1e3),
    "L": lambda entry: f"{entry.duration:.6f}",
    "F": lambda entry: None if entry.first_byte is None else int(entry.first_byte * 1e6),
    "O": lambda entry: entry.kind,
    "p": lambda entry: f"<{os.getpid()}>",
    "i": lambda entry: current_request_id(),
}
"""gunicorn's names (Settings, "access_log_format"), and `O` the outcome, `F` microseconds to the head, `I` bytes
received, `i` the request id."""


def _safe(value: object) -> object:
    """A value that cannot forge a line or leave its quotes."""
    if value is None:
        return "-"
    if isinstance(value, str) and (not value.isprintable() or '"' in value):
        return value.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return value


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
