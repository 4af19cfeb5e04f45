"""One scope of an ASGI app: every message that passes is judged, by value and by order, and passed on.

The app's `receive` and `send` are this object's; what is HTTP's alone is in `_asgi_http`.  Each rule is reported once
a connection: what follows from a mistake is no second one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _asgi_order as order
from ._asgi_events import USUAL
from ._asgi_look import Look
from ._asgi_order import Order, event_of
from ._fields import NO_FIELDS, fields_of
from ._rule import ASGI, Milder
from ._values import is_one_shot, shown

if TYPE_CHECKING:
    from ._report import Report
    from ._rule import Party

REFUSABLE = frozenset(["A017", "A019", "A063", "A064", "A072", "A105", "A139"])  # what a server must not let pass: A020
UNUSABLE = frozenset(["A017", "A019", "A051", "A105"])  # events an app cannot take for anything: A021
_DEFAULTED = {"body": "A052", "more_body": "A053", "text": "A095", "bytes": "A095"}  # keys that an event may lack


class Connection:
    """A websocket's or a lifespan's scope, and what HTTP shares with them.

    Args:
        report: takes the findings.
        scope: the scope, whatever it is.
        receive: the server's.
        send: the server's.
    """

    def __init__(self, report: Report, scope: Any, receive: Any, send: Any) -> None:
        self.report, self.scope, self.look = report, scope, Look(scope)
        self.order = self.incoming = Order(order.TABLES.get(self.look.protocol, {"": {}}))
        self._receive, self._send = receive, send
        self._receiving = self._sending = self._messages = 0
        self._last: Any = None
        self._said: set[str] = set()
        self._unusable: set[str] = set()  # what the server's events broke, of UNUSABLE
        self._types: set[str] = set()  # seen so far
        self._buffers: list[tuple[Any, bytes]] = []
        self.over = self.broken = False  # the app is done; `send` raised an OSError

    @property
    def where(self) -> str:
        """The connection in a few words."""
        scope = self.look.scope
        name = scope.get("method", "websocket") if self.look.protocol in ("http", "websocket") else ""
        return f"{name} {scope.get('path')}" if name else self.look.protocol or "a scope without a type"

    def find(self, id: str, problem: str, party: Party | None = None, *, quietly: bool = False) -> None:
        """Report a rule, if this connection has not yet."""
        if id not in self._said:
            self._said.add(id)
            self.report.add(id, problem, self.where, party, quietly=quietly)

    def judge(self, value: Any, party: Party, *kinds: str) -> list[str]:
        """Judge a value by the rules for its kinds, and return the ids of those it broke gravely."""
        broken, look, checks = [], self.look, ASGI.checks
        for kind in kinds:
            for rule, check in checks.get(kind, ()):
                problem = check(value, look)
                if problem is not None:
                    self.find(rule.id, problem, party if rule.party == "both" else None)
                    broken += [rule.id] if rule.severity == "must" and not isinstance(problem, Milder) else []
        return broken

    def _judge_message(self, message: dict[str, Any], party: Party, how: str) -> list[str]:
        kind = message["type"]
        broken = self.judge(message, party, how, kind)
        if kind in self._types or kind in USUAL.get(self.look.protocol, ()):
            return broken
        self._types.add(kind)
        return broken + self.judge(message, party, f"type {how}")

    # --- the beginning and the end

    def open(self) -> None:
        """Judge the scope and the callables."""
        if not isinstance(self.scope, dict):
            self.find("A001", f"the scope is a {type(self.scope).__name__}")
            return
        for name, value in (("receive", self._receive), ("send", self._send)):
            if not callable(value):
                self.find("A008", f"{name} is {shown(value)}")
        kinds = ["scope", f"{self.look.protocol} scope", *(["tls"] if "tls" in self.look.extensions else [])]
        self.judge(self.scope, "server", *kinds)

    def returned(self, value: object) -> None:
        """Judge how the app left things."""
        self.over = True
        self._look_at_buffers()
        if value is not None:
            self.find("A010", f"the app returned {shown(value)}")
        if not self._messages and self.look.protocol not in ("http", "websocket"):
            self.find("A011", f"the app returned from a {self.look.protocol!r} scope without a word")
        elif not self.broken:
            self._take(self.order, order.RETURN, "app")
        if self._unusable:
            self.find("A021", f"the app took an event that broke {min(self._unusable)}")

    def raised(self, error: BaseException) -> None:
        """Look for a mistake in what the app raised; the exception is on its way, so none is raised here."""
        self.over = True
        missing = error.args[0] if isinstance(error, KeyError) and error.args else None
        id = _DEFAULTED.get(missing) if isinstance(missing, str) else None
        if id is not None and isinstance(self._last, dict) and missing not in self._last:
            problem = f"the app read {missing!r} of an event without it"
            one_sided = missing in ("text", "bytes")  # an endpoint may well want one of the two only
            self.find(id, Milder("lint", problem) if one_sided else problem, "app", quietly=True)
        if _is_cancellation(error):
            self._take(self.order, order.CANCELLED, "server", quietly=True)

    # --- messages

    async def receive(self) -> Any:
        """Hand the app the next event."""
        if self.over:
            self.find("A027", "receive() was called after the app had returned")
        if self._receiving:
            self.find("A025", "receive() was called while another receive() was waiting")
        self._receiving += 1
        self._messages += 1
        try:
            message = await self._awaited(self._receive(), "receive()")
        except BaseException as error:
            if _is_cancellation(error):
                self._take(self.order, order.INTERRUPTED, "server")
            raise
        finally:
            self._receiving -= 1
        self._last = message
        self.delivered(message)
        return message

    def delivered(self, message: Any) -> None:
        """Judge an event of the server's."""
        if self._is_event(message, "server"):
            broken = self._judge_message(message, "server", "received")
            self._unusable |= UNUSABLE.intersection(broken)
            self._take(self.incoming, event_of(message), "server")

    async def send(self, message: Any) -> None:
        """Hand the server the app's next message."""
        if self.over:
            self.find("A027", "send() was called after the app had returned")
        if self._sending:
            self.find("A026", "send() was called while another send() was running")
        self._messages += 1
        self._look_at_buffers()
        message = _readable_twice(message)
        broken = self.before_send(message)
        self._sending += 1
        try:
            await self._awaited(self._send(message), "send()")
        except OSError:
            self.broken = True
            raise
        except Exception as error:
            self.refused(error, broken)
            raise
        finally:
            self._sending -= 1
        self.after_send(message, broken)

    def before_send(self, message: Any) -> list[str]:
        """Judge a message of the app's, and return the ids of what it broke."""
        if self.broken and self.look.protocol == "http":
            self.find("A084", "the app sent on after send() had raised an OSError")
        if not self._is_event(message, "app"):
            return ["A017"]
        self.look.fields = fields_of(message["headers"]) if "headers" in message else NO_FIELDS
        broken = self._judge_message(message, "app", "sent")
        mistake = self._take(self.order, event_of(message), "app")
        self._remember_buffer(message.get("body"))
        return broken + mistake

    def after_send(self, message: Any, broken: list[str]) -> None:
        """Judge a `send()` of the server's that went well."""
        passed = REFUSABLE.intersection(broken)
        if passed:
            self.find("A020", f"send() took a message that broke {min(passed)}")

    def refused(self, error: Exception, broken: list[str]) -> None:
        """Judge a `send()` of the server's that raised something else than an `OSError`."""

    # --- the parts of it

    async def _awaited(self, result: Any, what: str) -> Any:
        if not hasattr(result, "__await__"):
            self.find("A008", f"{what} gave {shown(result)}, which cannot be awaited")
            return result
        return await result

    def _is_event(self, message: Any, party: Party) -> bool:
        good = isinstance(message, dict) and isinstance(message.get("type"), str)
        if not good:
            self.find("A017", f"the event is {shown(message)}", party)
            self._unusable |= {"A017"} if party == "server" else set()
        return good

    def _take(self, place: Order, event: str, party: Party, *, quietly: bool = False) -> list[str]:
        mistake = place.take(event)
        if mistake is None:
            return []
        self.find(*mistake, quietly=quietly)
        return [mistake[0]]

    def _remember_buffer(self, body: Any) -> None:
        if isinstance(body, bytearray) or (isinstance(body, memoryview) and not body.readonly):
            self._buffers = [(body, bytes(body))]

    def _look_at_buffers(self) -> None:
        if any(bytes(buffer) != content for buffer, content in self._buffers):
            self.find("A028", "the app changed a body after it had sent it")


def _is_cancellation(error: BaseException) -> bool:
    """Whether asyncio or trio cancelled who raises this."""
    return type(error).__name__ in ("CancelledError", "Cancelled")


def _readable_twice(message: Any) -> Any:
    """The message, or one like it whose headers and links are lists where they could be read only once."""
    if isinstance(message, dict):
        for key in ("headers", "links"):
            if is_one_shot(message.get(key)):
                message = {**message, key: list(message[key])}
    return message
