"""`access_log`: one line a request, written when it is over, with what really happened."""

from __future__ import annotations

import json
import logging
from random import random
from typing import TYPE_CHECKING

from ._engine._layer import middleware
from ._log_atoms import Atoms
from ._log_entry import Entry, hider

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ._engine._layer import Flow
    from ._engine._request import Request
    from ._engine._response import Response

COMMON = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s'
COMBINED = COMMON + ' "%(f)s" "%(a)s"'
_FORMATS = {"common": COMMON, "combined": COMBINED}


@middleware(websocket=True)
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

    A WebSocket is a request with status 101, and its end is its close.

    Args:
        format: `"common"`, `"combined"`, `"json"`, or a line of gunicorn's atoms: `%(h)s %(r)s %(s)s %(B)s %(D)s
            %({user-agent}i)s %({etag}o)s`; beside them `%(O)s` the outcome, `%(F)s` microseconds to the head, `%(i)s`
            the request id.
        logger: the name of the logger.
        level: at which to log; responses with status 500 and above, and those that failed, get `ERROR`.
        slow: seconds after which a request is logged as `WARNING`; not a WebSocket, which is there to stay.
        sample: the share of requests that are logged, from 0 to 1; those logged as `WARNING` or `ERROR` all are.
        redact: names of query parameters whose values are left out, of the referer's too.
        extra: further members of a JSON line, such as the user's id.

    Raises:
        ValueError: a format that cannot be filled in, or a share of more than all.
    """
    if not 0 <= sample <= 1:
        raise ValueError(f"access_log(sample={sample:g}): write a share from 0 to 1, such as 0.1")
    line = _FORMATS.get(format, format)
    try:
        atoms = None if format == "json" else Atoms(line)
    except ValueError as error:
        raise ValueError(f"access_log(format={format!r}): {error}") from None
    log = logging.getLogger(logger)
    worst = max(level, logging.ERROR)
    measured = atoms is None or "I" in atoms.readers
    hide = hider(redact) if redact else None

    def text_of(entry: Entry) -> str:
        if atoms is not None:
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
        if measured and not request.is_websocket:
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
