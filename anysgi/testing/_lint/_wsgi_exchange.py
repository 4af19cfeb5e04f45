"""One WSGI request: what the app hands to `start_response`, `write` and the server is judged, and passed on.

Each rule is reported once a request: what follows from a mistake is no second one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from . import _wsgi_order as order
from ._rule import WSGI
from ._values import shown
from ._wsgi_environ import Variables
from ._wsgi_head import NO_HEAD, Head, bodiless
from ._wsgi_streams import LintErrors, LintInput

if TYPE_CHECKING:
    from ._report import Report
    from ._rule import Party

MARK = "anysgi.lint"  # where in an environ the exchanges of LintWSGIs stand, outermost first


class WsgiExchange:
    """One request.

    Args:
        report: takes the findings.
        environ: the server's, whatever it is.
        start_response: the server's.
    """

    def __init__(self, report: Report, environ: Any, start_response: Any) -> None:
        self.report, self._start = report, start_response
        self.environ: dict[str, Any] = environ if isinstance(environ, dict) else {}
        self.where = f"{self.environ.get('REQUEST_METHOD')} {self.environ.get('PATH_INFO')}"
        self.path = (self.environ.get("SCRIPT_NAME"), self.environ.get("PATH_INFO"))
        self.state = order.IDLE
        self.head = NO_HEAD
        self.sent = 0  # bytes of body
        self.pulling = False  # the server is inside next()
        self.handed = self.taken = 0  # chunks handed to the server; chunks a middleware took from its app
        self._thread = threading.get_ident()
        self._said: set[str] = set()
        self._headers: tuple[Any, Any] = ((), ())  # the app's list, and what it was
        self._input: LintInput | None = None
        self._wrapper: Any = None  # the server's wsgi.file_wrapper
        self._files: list[Any] = []  # what it made, where it is a function

    def find(self, id: str, problem: str, party: Party | None = None, *, quietly: bool = False) -> None:
        """Report a rule, if this request has not yet."""
        if id not in self._said:
            self._said.add(id)
            self.report.add(id, problem, self.where, party, quietly=quietly)

    def judge(self, kind: str, value: Any, around: Any = None) -> None:
        """Judge a value by the rules for its kind."""
        for rule, check in WSGI.checks[kind]:
            problem = check(value, around)
            if problem is not None:
                self.find(rule.id, problem)

    def take(self, event: str) -> None:
        """Move on in the table, or report the rule that was broken."""
        following = order.RESPONSE[self.state].get(event, self.state)
        if following in WSGI.rules:
            self.find(following, f"{event} {self.state}")
        else:
            self.state = following

    def open(self, outer: WsgiExchange | None) -> None:
        """Judge the environ, and put our streams into it."""
        environ = self.environ
        self.judge("environ", environ, Variables(environ))
        if outer is not None and not self._arrives(outer):
            self.find("W065", f"{outer.path} became {self.path}")
        if hasattr(environ.get("wsgi.input"), "read"):
            environ["wsgi.input"] = self._input = LintInput(environ["wsgi.input"], environ, self.find)
        if hasattr(environ.get("wsgi.errors"), "write"):
            environ["wsgi.errors"] = LintErrors(environ["wsgi.errors"], self.find)
        self._wrapper = environ.get("wsgi.file_wrapper")
        if callable(self._wrapper) and not isinstance(self._wrapper, type):
            environ["wsgi.file_wrapper"] = self._wrapped_file

    def _wrapped_file(self, *args: Any) -> Any:
        self._files.append(self._wrapper(*args))
        return self._files[-1]

    def is_file(self, result: Any) -> bool:
        """Whether the server made it with its `wsgi.file_wrapper`, and knows it by its type or its identity."""
        by_type = isinstance(self._wrapper, type) and isinstance(result, self._wrapper)
        return by_type or any(result is file for file in self._files)

    def _arrives(self, outer: WsgiExchange) -> bool:
        """Whether the whole path is what it was, where a dispatcher moved a part of it."""
        before, now = outer.path, self.path
        moved = all(isinstance(part, str) for part in before + now) and before[0] != now[0] and before[1] != now[1]
        return not moved or f"{before[0]}{before[1]}" == f"{now[0]}{now[1]}"

    # --- what the app calls

    def start_response(self, *args: Any, **named: Any) -> Any:
        """Judge a head, and hand it to the server."""
        if named or not 2 <= len(args) <= 3:
            self.find("W035", f"start_response() got {len(args)} arguments and {sorted(named)} by name")
        head = self._head(args, named)
        if head is not None:
            self._judge_head(head)
        write = self._start(*self._with_a_copy(args), **named)
        if head is not None and head.exc_info:
            head.exc_info = None  # an exception would keep its frames alive
            if self.state is order.COMMITTED:
                self.find("W047", "start_response(exc_info) returned, with the head already out")
        if callable(write):
            return lambda data: self._write(write, data)
        self.find("W049", f"start_response() returned {shown(write)}")
        return write

    def _head(self, args: tuple[Any, ...], named: dict[str, Any]) -> Head | None:
        if not named and 2 <= len(args) <= 3:
            return Head(*args)
        names = ("status", "response_headers" if "response_headers" in named else "headers", "exc_info")
        given = dict(zip(names, args, strict=False)) | named
        return Head(given.get("status"), given.get(names[1]), given.get("exc_info")) if len(given) >= 2 else None

    def _judge_head(self, head: Head) -> None:
        self.take(order.START_EXC if head.exc_info else order.START)
        self.judge("head", head)
        self.head = head
        if isinstance(head.headers, list):
            self._headers = (head.headers, list(head.headers))

    def _with_a_copy(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments with a list of headers of its own, so that what the server does to it is not the app's."""
        return (args[0], list(args[1]), *args[2:]) if len(args) > 1 and type(args[1]) is list else args

    def _write(self, write: Any, data: Any) -> None:
        if not isinstance(data, bytes):
            self.find("W050", f"write() got {shown(data)}")
        if self.pulling:
            self.find("W050", "write() was called from within the iterable")
        self.count(data)
        write(data)

    def count(self, chunk: Any) -> None:
        """Count a piece of body, written or yielded."""
        self.take(order.CHUNK if chunk else order.EMPTY)
        if isinstance(chunk, bytes) and chunk:
            self.sent += len(chunk)
            problem = bodiless(self.head.code, self.environ.get("REQUEST_METHOD"), len(chunk))
            if problem is not None:
                self.find("W061", problem)

    # --- the end

    def on_thread(self, what: str) -> None:
        """See that this is the thread the app was called on."""
        if threading.get_ident() != self._thread:
            self.find("W067", f"{what} on another thread than the call")

    def ended(self) -> None:
        """Judge a response whose iterable came to its end."""
        self.take(order.END)
        length, silent = self.head.length, self.environ.get("REQUEST_METHOD") == "HEAD" or self.head.code in (204, 304)
        if length is not None and not silent and length != self.sent:
            self.find("W060", f"Content-Length is {length}, and the body had {self.sent} bytes")

    def finish(self) -> None:
        """Judge what is left when the request is over."""
        if list(self._headers[0]) != list(self._headers[1]):
            self.find("W052", "the app changed its list of headers after start_response()")
        if self._input is not None:
            self._input.finish()
