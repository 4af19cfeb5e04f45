"""`server_timing`: how long it took, in the browser's developer tools; `span()` times a part from inside the app."""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING

from ._engine._layer import middleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ._engine._layer import Flow
    from ._engine._request import Request
    from ._engine._response import Response

_NO_TOKEN = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")
_MOST = 64  # spans in one header: a loop in the app must not make it grow without end
_spans: ContextVar[dict[str, tuple[float, str]] | None] = ContextVar("anysgi.server_timing", default=None)


@contextmanager
def span(name: str, description: str = "") -> Iterator[None]:
    """Time a part of the app's work, up to the moment its response head leaves; the same name adds up.

    Args:
        name: a token (RFC 9110 section 5.6.2), such as `"db"`.
        description: text for the reader.
    """
    started = perf_counter()
    try:
        yield
    finally:
        spans = _spans.get()
        if spans is not None and (name in spans or len(spans) < _MOST):
            spans[name] = (spans.get(name, (0.0, ""))[0] + perf_counter() - started, description)


@middleware
def server_timing(
    request: Request,
    *,
    metric: str = "total",
    visible: Callable[[Request], bool] | None = None,
    threshold: float = 0.0,
    report: Callable[[Request, Mapping[str, float]], object] | None = None,
) -> Flow:
    """Send a Server-Timing header (W3C Server Timing) with the time to the response head and the spans inside it.

    Where server and client take trailers (Firefox does, over HTTP/2), the field comes again after the body: with the
    time to the last byte, and the spans that ended since.

    Args:
        metric: the name of the whole.
        visible: who may see it, since timings can tell secrets; by default everybody.
        threshold: seconds below which a span is left out.
        report: called with all seconds by name when the head leaves, whoever may see them.
    """
    spans: dict[str, tuple[float, str]] = {}
    started = perf_counter()
    request.bind(_spans, spans)
    response: Response = yield request
    told = dict(spans)
    total = perf_counter() - started
    if report is not None:
        report(request, {metric: total} | {name: seconds for name, (seconds, _) in told.items()})
    if visible is not None and not visible(request):
        return

    def header(total: float, several: Mapping[str, tuple[float, str]]) -> str:
        long = {name: measured for name, measured in several.items() if measured[0] >= threshold}
        return ", ".join(_field(name, *measured) for name, measured in ({metric: (total, "")} | long).items())

    def rest() -> str:
        since = {name: measured for name, measured in spans.items() if measured != told.get(name)}
        return header(perf_counter() - started, since)

    response.headers.add("server-timing", header(total, told))
    if request.takes_trailers:
        response.body.trailer("server-timing", rest)


def _field(name: str, seconds: float, description: str) -> str:
    printable = "".join(c if c.isascii() and c.isprintable() else "?" for c in description)
    quoted = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f"{_NO_TOKEN.sub('_', name)};dur={seconds * 1e3:.1f}" + (f';desc="{quoted}"' if quoted else "")
