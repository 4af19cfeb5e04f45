"""`LintASGI`: the wrapper, and what it knows across connections (lifespan, event loops, scopes in use)."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from . import _asgi_order as order
from ._asgi_connection import Connection
from ._asgi_http import HttpConnection
from ._asgi_rules import ASGI
from ._report import USUAL, Report
from ._rule import Finding
from ._values import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...types import ASGIApp
    from ._report import On

__all__ = ["LintASGI"]

_around: ContextVar[_Around | None] = ContextVar("anysgi.testing.LintASGI", default=None)


class _Around:
    """What an outer LintASGI remembers of a scope, for an inner one that sees what a middleware made of it."""

    __slots__ = ("before", "handed_on", "headers", "scope")

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope, self.before = scope, dict(scope)
        headers = scope.get("headers")
        self.headers = (headers, list(headers)) if isinstance(headers, list) else ((), [])
        self.handed_on: list[tuple[dict[str, Any], dict[str, Any]]] = []  # scopes, and copies made when they came back

    def change(self, scope: dict[str, Any]) -> str | None:
        """What a middleware changed in the scope it was given, before it passed one on."""
        if scope is self.scope and (key := _changed(self.before, scope)):
            return f"scope[{key!r}] was changed in the scope the middleware was given"
        return 'scope["headers"] was changed in place' if list(self.headers[0]) != self.headers[1] else None

    def late_change(self) -> str | None:
        """What was changed in a scope that was handed on, after the app had returned."""
        changed = next((key for scope, then in self.handed_on if (key := _changed(then, scope))), None)
        return f"scope[{changed!r}] was changed after the app had returned" if changed else None


def _changed(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    keys = [*before, *(key for key in now if key not in before)]
    return next((key for key in keys if before.get(key) is not now.get(key)), None)


class LintASGI:
    """Watch an ASGI app and its server, and report every rule of the ASGI specs that either breaks.

    The app sees and does exactly what it would without it.  Put one on each side of a middleware, and the rules about
    middleware are watched too.

    Args:
        app: an ASGI app, or a middleware around one.
        on: what to do with a finding: `"raise"` it where the mistake is made, `"warn"` (a `LintWarning`), `"collect"`
            it in `findings` only, or call a function with it.
        select: what to report: rule ids or their beginnings (`"A061"`, `"A06"`), severities (`"must"`, `"should"`,
            `"lint"`, `"ambiguous"`), parties (`"app"`, `"server"`, `"middleware"`), or `"all"`.  By default all but the
            points where the spec contradicts itself.
        ignore: what not to report, in the same words.

    Attributes:
        app: the app inside.
        findings: what was found, oldest first; at most 1000.

    Raises:
        AppProtocolError: with `on="raise"`, in the app: it broke a rule.
        ServerProtocolError: with `on="raise"`, in the server's call or the app's `receive()`: the server broke one.
        ValueError: `on`, `select` or `ignore` name nothing there is.

    Source: ASGI 3 and its sub-specifications; docs/reference/lint-rules.md lists the rules.
    """

    def __init__(
        self, app: ASGIApp, *, on: On = "raise", select: Iterable[str] = USUAL, ignore: Iterable[str] = ()
    ) -> None:
        self.app = app
        self.report = Report(ASGI, on, select, ignore)
        self._live: dict[int, Any] = {}  # the `receive` of every scope in use, by the scope's id
        self._shared: tuple[Any, Any] = (None, None)  # headers and extensions of the scope before
        self._lifespan: Connection | None = None
        self._loops: WeakSet[Any] = WeakSet()

    @property
    def findings(self) -> list[Finding]:
        """What was found, oldest first."""
        return self.report.findings

    def __repr__(self) -> str:
        return f"LintASGI({self.app!r}, {len(self.findings)} findings)"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the app on one scope, and watch."""
        http = isinstance(scope, dict) and scope.get("type") == "http"
        connection = (HttpConnection if http else Connection)(self.report, scope, receive, send)
        outer = _around.get()
        around = _Around(scope) if isinstance(scope, dict) else None
        self._open(connection, outer, receive)
        token = _around.set(around)
        try:
            value = await self._called(connection)
        except BaseException as error:
            connection.raised(error)
            raise
        finally:
            _around.reset(token)
            self._live.pop(id(scope), None)
            if outer is not None and isinstance(scope, dict):
                outer.handed_on.append((scope, dict(scope)))
        if around is not None and (late := around.late_change()):
            connection.find("A014", late)
        connection.returned(value)

    async def _called(self, connection: Connection) -> object:
        answer: Any = self.app(connection.scope, connection.receive, connection.send)
        if hasattr(answer, "__await__"):
            return await answer
        connection.find("A009", f"calling the app gave {shown(answer)}, which cannot be awaited")
        return None

    def _open(self, connection: Connection, outer: _Around | None, receive: Any) -> None:
        scope = connection.look.scope
        connection.open()
        if outer is not None and (change := outer.change(scope)):
            connection.find("A013", change)
        self._compare(connection, scope, receive)
        if connection.look.protocol == "lifespan":
            self._lifespan = connection
            self._loops.update(_loop())
        elif self._lifespan is not None:
            self._judge_after_lifespan(connection, self._lifespan)

    def _compare(self, connection: Connection, scope: dict[str, Any], receive: Any) -> None:
        """Compare a scope with those in use, and with the one before."""
        if id(scope) in self._live:
            again = self._live[id(scope)] is receive
            connection.find(*_AGAIN if again else _SAME_SCOPE)
        self._live[id(scope)] = receive
        shared = (scope.get("headers"), scope.get("extensions"))
        for name, now, before in zip(("headers", "extensions"), shared, self._shared, strict=True):
            if now is before and isinstance(now, (list, dict)) and now:
                connection.find("A015", f'scope["{name}"] is the very object of the request before')
        self._shared = shared

    def _judge_after_lifespan(self, connection: Connection, lifespan: Connection) -> None:
        if lifespan.order.state is order.FAILED:
            connection.find("A111", "a request came after lifespan.startup.failed")
        elif lifespan.order.state in (order.NEW, order.STARTING) and not lifespan.over:
            connection.find("A107", "a request came before lifespan.startup was answered")
        state = connection.look.scope.get("state")
        if state is not None and state is lifespan.look.scope.get("state"):
            connection.find("A117", 'scope["state"] is the lifespan\'s own dict')
        if self._loops and not self._loops.issuperset(_loop()):
            connection.find("A116", "the request runs on another event loop than the lifespan")


_AGAIN = ("A007", "the app was called again with the scope and receive of a call that still runs")
_SAME_SCOPE = ("A016", "two requests that run at once have the same scope object")


def _loop() -> set[Any]:
    """The running asyncio loop; under trio, which has none, there is nothing to compare."""
    try:
        return {asyncio.get_running_loop()}
    except RuntimeError:
        return set()
