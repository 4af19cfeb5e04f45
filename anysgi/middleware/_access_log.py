"""`access_log`: one line a request, written when it is over, with what really happened."""

from __future__ import annotations

import json
import logging
import os
import re
from datetime import datetime, tzinfo
from functools import lru_cache
from random import random
from time import perf_counter, time
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from .._core._paths import quoted_path
from ._capture import REDACTED
from ._layer import middleware
from ._outcome import Outcome
from ._request_id import current_request_id
from ._routes import route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ._layer import Flow
    from ._outcome import Kind
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
    sample: float = 1.0,
    redact: Collection[str] = (),
    extra: Callable[[Request, Response | None], Mapping[str, object]] | None = None,
) -> Callable[[Request], Flow]:
    """Log every request once, at its end: with its outcome, the bytes sent, the time to the head and in all.

    Args:
        format: `"common"`, `"combined"`, `"json"`, or a line of gunicorn's atoms: `%(h)s %(r)s %(s)s %(B)s %(D)s
            %({user-agent}i)s %({etag}o)s`; beside them `%(O)s` the outcome, `%(F)s` microseconds to the head, `%(i)s`
            the request id.
        logger: the name of the logger.
        level: at which to log; responses with status 500 and above, and those that failed, get `ERROR`.
        slow: seconds after which a request is logged as `WARNING`.
        sample: the share of requests that are logged, from 0 to 1; those logged as `WARNING` or `ERROR` all are.
        redact: names of query parameters whose values are left out, of the referer's too.
        extra: further members of a JSON line, such as the user's id.

    Raises:
        ValueError: a format that cannot be filled in, or a share of more than all.
    """
    if not 0 <= sample <= 1:
        raise ValueError(f"access_log(sample={sample:g}): write a share from 0 to 1, such as 0.1")
    line = _FORMATS.get(format, format)
    atoms = _Atoms()
    try:
        line % atoms
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"access_log(format={format!r}): {error}") from None
    log = logging.getLogger(logger)
    worst = max(level, logging.ERROR)
    is_json = line == "json"
    measured = is_json or "I" in atoms.readers
    hide = _hider(redact) if redact else None

    def text_of(entry: Entry) -> str:
        if not is_json:
            return line % atoms.of(entry)
        more = extra(entry.request, entry.response) if extra else {}
        return json.dumps({**entry.fields(), **more}, default=str)

    def write(entry: Entry) -> None:
        severity = entry.severity(level, slow)
        if log.isEnabledFor(severity) and (sample == 1 or severity != level or random() < sample):
            log.log(severity, "%s", text_of(entry))

    def flow(request: Request) -> Flow:
        if not log.isEnabledFor(worst):
            return
        if measured:
            request.body.measure()
        entry = Entry(request, hide)
        try:
            entry.response = response = yield request
        except BaseException as error:
            entry.failed(error)
            write(entry)
            raise
        entry.outcome = yield response
        write(entry)

    return flow


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
        return max(level, logging.WARNING) if slow is not None and self.outcome.duration >= slow else level

    def fields(self) -> dict[str, object]:
        """The entry as one JSON object; times in seconds, sizes in bytes."""
        outcome, began = self.outcome, self.began
        return {
            "time": datetime.fromtimestamp(began, _zone(int(began))).isoformat(timespec="milliseconds"),
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


_NAME = re.compile(r"(?<![^?&;])([^?&;#=]+)=")
_END = re.compile("[&;#]")


def _hider(names: Collection[str]) -> Callable[[str], str]:
    """Make the function that takes the values of some parameters out of a query or a URL."""
    secret = {name.lower() for name in ([names] if isinstance(names, str) else names)}

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


class _Atoms:
    """The names a format uses, as the `%` operator asks for them when the format is tried; no other one is looked up.

    Attributes:
        readers: by name, what finds its value.
    """

    def __init__(self) -> None:
        self.readers: dict[str, Callable[[Entry], object]] = {}

    def __getitem__(self, name: str) -> int:
        self.readers[name] = _ATOMS.get(name) or _header_reader(name)
        return 0

    def of(self, entry: Entry) -> dict[str, object]:
        """The values."""
        return {name: _safe(read(entry)) for name, read in self.readers.items()}


def _header_reader(name: str) -> Callable[[Entry], object]:
    header = name[1:-2]
    if name.startswith("{") and name.endswith("}i"):
        return lambda entry: entry.request.headers.get(header)
    if name.startswith("{") and name.endswith("}o"):
        return lambda entry: entry.response.headers.get(header) if entry.response is not None else None
    raise ValueError(f"%({name})s is none of {' '.join(_ATOMS)} {{header}}i {{header}}o")


@lru_cache(64)  # requests come many in a second
def _zone(second: int) -> tzinfo | None:
    return datetime.fromtimestamp(second).astimezone().tzinfo


@lru_cache(64)
def _clock(second: int) -> str:
    return datetime.fromtimestamp(second, _zone(second)).strftime("[%d/%b/%Y:%H:%M:%S %z]")


_ATOMS: dict[str, Callable[[Entry], object]] = {
    "h": lambda entry: entry.client,
    "l": lambda entry: None,
    "u": lambda entry: None,
    "t": lambda entry: _clock(int(entry.began)),
    "r": lambda entry: f"{entry.method} {entry.target} HTTP/{entry.http_version}",
    "m": lambda entry: entry.method,
    "U": lambda entry: quoted_path(entry.path).decode(),
    "q": lambda entry: entry.query,
    "H": lambda entry: f"HTTP/{entry.http_version}",
    "s": lambda entry: entry.status,
    "B": lambda entry: entry.outcome.bytes_sent,
    "b": lambda entry: entry.outcome.bytes_sent or None,
    "I": lambda entry: entry.outcome.bytes_received,
    "f": lambda entry: entry.referer,
    "a": lambda entry: entry.request.headers.get("user-agent"),
    "T": lambda entry: int(entry.outcome.duration),
    "D": lambda entry: int(entry.outcome.duration * 1e6),
    "M": lambda entry: int(entry.outcome.duration * 1e3),
    "L": lambda entry: f"{entry.outcome.duration:.6f}",
    "F": lambda entry: _microseconds(entry.outcome.first_byte),
    "O": lambda entry: entry.outcome.kind,
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


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1e6)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
