"""`LintWSGI`: the wrapper, and what it knows across requests."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from . import _wsgi_order as order
from ._report import USUAL, Report
from ._values import shown
from ._wsgi_body import LintIterable, SizedLintIterable
from ._wsgi_exchange import MARK, WsgiExchange
from ._wsgi_rules import WSGI

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...types import WSGIApp
    from ._report import On
    from ._rule import Finding

__all__ = ["LintWSGI"]


class LintWSGI:
    """Watch a WSGI app and its server, and report every rule of PEP 3333 that either breaks.

    The app sees and does what it would without it; `wsgi.input` and `wsgi.errors` are watched from inside its environ.
    What was made with `wsgi.file_wrapper` goes to the server as it is.  Put one on each side of a middleware, and the
    rules about middleware are watched too.

    Args:
        app: a WSGI app, or a middleware around one.
        on: what to do with a finding: `"raise"` it where the mistake is made, `"warn"` (a `LintWarning`), `"collect"`
            it in `findings` only, or call a function with it.
        select: what to report: rule ids or their beginnings (`"W036"`, `"W03"`), severities (`"must"`, `"should"`,
            `"lint"`, `"ambiguous"`), parties (`"app"`, `"server"`, `"middleware"`), or `"all"`.  By default all but
            what PEP 3333 leaves open.
        ignore: what not to report, in the same words.

    Attributes:
        app: the app inside.
        findings: what was found, oldest first; at most 1000.

    Raises:
        AppProtocolError: with `on="raise"`, in the app: it broke a rule.
        ServerProtocolError: with `on="raise"`, in the server's call, or the app's read: the server broke one.
        ValueError: `on`, `select` or `ignore` name nothing there is.

    Source: PEP 3333; docs/reference/lint-rules.md lists the rules.
    """

    def __init__(
        self, app: WSGIApp, *, on: On = "raise", select: Iterable[str] = USUAL, ignore: Iterable[str] = ()
    ) -> None:
        self.app = app
        self.report = Report(WSGI, on, select, ignore)
        self._threads: set[int] = set()  # those inside a call

    @property
    def findings(self) -> list[Finding]:
        """What was found, oldest first."""
        return self.report.findings

    def __repr__(self) -> str:
        return f"LintWSGI({self.app!r}, {len(self.findings)} findings)"

    def __call__(self, environ: Any, start_response: Any, /, *more: Any, **named: Any) -> Any:
        """Run the app on one request, and watch."""
        exchange = WsgiExchange(self.report, environ, start_response)
        outer = self._open(exchange, environ, len(more) + len(named))
        thread = threading.get_ident()
        self._threads.add(thread)
        try:
            result = self.app(environ, exchange.start_response, *more, **named)
        finally:
            self._threads.discard(thread)
        return self._watched(result, exchange, outer)

    def _open(self, exchange: WsgiExchange, environ: Any, more: int) -> WsgiExchange | None:
        if type(environ) is not dict:
            exchange.find("W001", f"environ is {shown(type(environ))}")
        if more:
            exchange.find("W064", f"the app was called with {2 + more} arguments")
        if self._threads - {threading.get_ident()} and not exchange.environ.get("wsgi.multithread"):
            exchange.find("W019", "two threads are in the app, and wsgi.multithread is not true")
        chain = exchange.environ.get(MARK, ())
        if any(report is self.report for report, _ in chain):
            exchange.find("W002", "the environ is that of an earlier request")
            chain = ()
        exchange.environ[MARK] = (*chain, (self.report, exchange))
        outer = chain[-1][1] if chain else None
        exchange.open(outer)
        return outer

    def _watched(self, result: Any, exchange: WsgiExchange, outer: WsgiExchange | None) -> Any:
        if isinstance(result, (str, bytes, type(None))) or not _iterable(result):
            exchange.find("W053", f"the app returned {shown(result)}")
            return result
        if isinstance(result, dict):
            exchange.find("W053", "the app returned a dict, which iterates over its keys")
        if exchange.is_file(result):
            if exchange.state is order.IDLE:
                exchange.find("W044", "a file was returned before start_response()")
            return result
        sized = hasattr(result, "__len__")
        return (SizedLintIterable if sized else LintIterable)(result, exchange, outer)


def _iterable(result: Any) -> bool:
    return hasattr(result, "__iter__") or hasattr(result, "__getitem__")
