"""Every exception anysgi raises, in one tree.  The class says whose mistake it was.

AnysgiError
├── ConventionError (TypeError)             wrap time: this object is not the kind of app the adapter takes
├── AppProtocolError (AssertionError)       the app broke PEP 3333 or the ASGI spec
│   ├── AppTypeError (TypeError)            ... by handing over a value of the wrong type
│   └── AppValueError (ValueError)          ... by handing over a value that may not go on the wire
├── ServerProtocolError (RuntimeError)      the server broke the ASGI spec
├── BadRequest (ValueError)                 the request cannot be translated faithfully: answered 400 or 413
├── ClientDisconnected (ConnectionError)    the client left before the exchange was over
├── RequestTimeout (TimeoutError)           the app took longer than `timeout=` seconds
├── LifespanError (RuntimeError)            startup or shutdown failed
├── ScenarioError (ValueError)              testing: no client and server could produce this scenario
├── ExchangeTimeout (TimeoutError)          testing: the app did not end within the bound
├── LoopBlocked (AssertionError)            testing: an event loop was blocked
├── WebSocketClosed                         testing: the app closed the WebSocket
│   └── WebSocketDenied                     ... instead of accepting it
├── RouteTableError (ValueError)            a route table that cannot be used; every problem with file and line
├── RecordingError (ValueError)             a recording or HAR file that cannot be read; with file and line
├── StackError (ValueError)                build time: a middleware or a stack of them cannot work
├── FlowError (RuntimeError)                a middleware yielded or returned what it may not
└── PoolClosed (RuntimeError)               a job was handed to a WorkerPool after close()

LintWarning (UserWarning)                   testing: a warning, a rule of a spec was broken
"""

from __future__ import annotations

from errno import EPIPE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class AnysgiError(Exception):
    """The root of everything anysgi raises itself."""


class ConventionError(AnysgiError, TypeError):
    """The object is not an app of the convention the adapter takes; raised when it is wrapped."""


class AppProtocolError(AnysgiError, AssertionError):
    """The app broke its side of PEP 3333 or of the ASGI spec."""


class AppTypeError(AppProtocolError, TypeError):
    """The app handed over a value of a type its spec does not allow."""


class AppValueError(AppProtocolError, ValueError):
    """The app handed over a value that may not be sent (a bad status, a line break in a header)."""


class ServerProtocolError(AnysgiError, RuntimeError):
    """The server broke its side of the ASGI spec."""


class BadRequest(AnysgiError, ValueError):
    """The request cannot be translated without guessing, or is larger than allowed.

    Args:
        reason: one line for the client and the log.
        status: the answer, 400 unless a closer one exists (413, RFC 9110 section 15.5.14).
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class ClientDisconnected(AnysgiError, ConnectionError):
    """The client left.  An `OSError`, so that Django, Werkzeug and Starlette treat it as such."""

    errno = EPIPE  # by which gunicorn knows that it is no failure to log


class RequestTimeout(AnysgiError, TimeoutError):
    """The app took longer than the adapter's `timeout=` seconds."""


class LifespanError(AnysgiError, RuntimeError):
    """The app's lifespan startup or shutdown failed, or took too long."""


class RouteTableError(AnysgiError, ValueError):
    """A route table of `anysgi.migration` cannot be used.

    Args:
        problems: one line each, `file:line: what is wrong; what to write instead`.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class RecordingError(AnysgiError, ValueError):
    """A recording or a HAR file holds something else; the message names the file and the line."""


class StackError(AnysgiError, ValueError):
    """A middleware cannot work as it is written, or not in this place or convention; raised when it is built."""


class FlowError(AnysgiError, RuntimeError):
    """A middleware yielded or returned something out of turn; the message names its file and line."""


class PoolClosed(AnysgiError, RuntimeError):
    """A job was handed to a `WorkerPool` that is closed."""


class ScenarioError(AnysgiError, ValueError):
    """The scenario cannot exist: no client could send it, or no server would hand it to an app."""


class LoopBlocked(AnysgiError, AssertionError):
    """An event loop was blocked for longer than a test allows."""


class ExchangeTimeout(AnysgiError, TimeoutError):
    """An app under test did not end within the bound.

    Args:
        reason: what happened, and the messages so far.
        exchange: the unfinished `Exchange`.
    """

    def __init__(self, reason: str, exchange: object = None) -> None:
        super().__init__(reason)
        self.exchange = exchange


class WebSocketClosed(AnysgiError):
    """A WebSocket of a test is closed: nothing can be sent or received any more.

    Args:
        code: of the close, 1000 if the app gave none.
        reason: text, often empty.
    """

    def __init__(self, code: int, reason: str) -> None:
        Exception.__init__(self, f"the WebSocket was closed with code {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class WebSocketDenied(WebSocketClosed):
    """The app closed a WebSocket instead of accepting it, or answered with a response of its own.

    Args:
        code, reason: of the close.
        status: the HTTP status a client sees: 403, or the response's.
        response: of httpx2 or httpx, with its body read.
    """

    def __init__(self, code: int, reason: str, status: int, response: object) -> None:
        super().__init__(code, reason)
        self.args = (f"the WebSocket was denied with status {status}" + (f": {reason}" if reason else ""),)
        self.status = status
        self.response = response


class LintWarning(UserWarning):
    """A rule of PEP 3333 or of the ASGI spec was broken; see `LintWSGI` and `LintASGI` with `on="warn"`."""
