"""What is HTTP's alone: two orders, the lengths of both bodies, and what an app does once its client left."""

from __future__ import annotations

import asyncio
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from . import _asgi_order as order
from ._asgi_connection import Connection
from ._asgi_extensions import PATHSEND, ZEROCOPY
from ._asgi_order import Order
from ._fields import NO_FIELDS
from ._values import shown

if TYPE_CHECKING:
    from ._report import Report

_WORD_GETS_ROUND = 0.5
"""Seconds in which a task that streams may not know yet what another one received: it must be cancelled first."""

_START, _BODY = "http.response.start", "http.response.body"


class HttpConnection(Connection):
    """One HTTP request.

    Args:
        report: takes the findings.
        scope: the scope.
        receive: the server's.
        send: the server's.
    """

    def __init__(self, report: Report, scope: Any, receive: Any, send: Any) -> None:
        super().__init__(report, scope, receive, send)
        self.order, self.incoming = Order(order.HTTP_RESPONSE), Order(order.HTTP_REQUEST)
        self._arrived = self._sent = 0  # bytes of body, both ways
        self._events = 0
        self._head = NO_FIELDS
        self._files: list[Any] = []
        self._cut_short = False  # the client left before its body was complete
        self._told: Any = None  # the task that heard of the disconnect
        self._told_at = 0.0

    @property
    def gone(self) -> bool:
        """Whether the app was told that its client left before the response was complete."""
        return self.incoming.state is order.GONE and self.order.state not in (order.DONE, order.PATHED)

    def delivered(self, message: Any) -> None:
        """Judge an event, and count the body."""
        before = self.incoming.state
        super().delivered(message)
        if not isinstance(message, dict):
            return
        if message.get("type") == "http.disconnect":
            self._told, self._told_at = _task(), monotonic()
            self._cut_short |= before is order.BODY and self._events > 0
        elif isinstance(body := message.get("body", b""), bytes):
            self._events += 1
            self._arrived += len(body)
            if before is order.BODY and self.incoming.state is order.COMPLETE:
                self._compare_request_length()

    def _compare_request_length(self) -> None:
        coded = b"transfer-encoding" in self.look.headers.names
        declared = None if coded else self.look.headers.length
        if declared is not None and declared != self._arrived:
            self.find("A050", f"content-length is {declared}, and the body events held {self._arrived} bytes")

    def before_send(self, message: Any) -> list[str]:
        """Judge a message, and what the app does after a disconnect."""
        if self.gone and isinstance(message, dict):
            self._judge_after_disconnect(message)
        broken = super().before_send(message)
        if isinstance(message, dict) and not broken:
            self._note(message)
        return broken

    def _judge_after_disconnect(self, message: dict[str, Any]) -> None:
        status = message.get("status", self.look.status)
        if not isinstance(status, int) or status >= 400:
            return  # an error is a fair answer to a client that left
        if self._cut_short and message.get("type") == _START:
            self.find("A058", f"the client left in mid-body, and the app answered {status}")
        elif _task() is self._told or monotonic() - self._told_at > _WORD_GETS_ROUND:
            self.find("A086", f"the app sent {message.get('type')!r} after it had received 'http.disconnect'")

    def _note(self, message: dict[str, Any]) -> None:
        kind, body = message["type"], message.get("body", b"")
        if kind == _START:
            self._head, self.look.status = self.look.fields, message["status"]
        elif kind == _BODY:
            self._sent += len(body)
        elif kind == ZEROCOPY:
            self._files.append(message["file"])
        elif kind == PATHSEND:
            self._files.append(message["path"])
            missing = [name for name in (b"content-type", b"content-length") if name not in self._head.names]
            if missing:
                self.find("A127", f"the start of a pathsend had no {missing[0].decode()}")

    def after_send(self, message: Any, broken: list[str]) -> None:
        """Judge a `send()` that went well."""
        super().after_send(message, broken)
        if self.gone and self.look.version >= (2, 4) and not broken:
            self.find("A083", "send() after 'http.disconnect' returned as if the client were there")

    def refused(self, error: Exception, broken: list[str]) -> None:
        """Judge a `send()` that raised."""
        if self.gone and not broken:
            self.find("A024", f"send() after 'http.disconnect' raised {shown(error)}", quietly=True)

    def returned(self, value: object) -> None:
        """Judge how the app left things."""
        self.broken = self.broken or self.gone
        super().returned(value)
        self._compare_response_length()
        if any(getattr(file, "closed", True) is False for file in self._files):
            self.find("A124", "the app left the file open that it handed to zerocopysend")

    def _compare_response_length(self) -> None:
        silent = self.look.scope.get("method") == "HEAD" or self.look.status in (204, 304) or self._files
        declared = None if silent or self.order.state is not order.DONE else self._head.length
        if declared is not None and declared != self._sent:
            self.find("A079", f"content-length is {declared}, and the bodies held {self._sent} bytes")


def _task() -> Any:
    """The running task, of whichever library."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        trio = sys.modules.get("trio")
        return trio.lowlevel.current_task() if trio else None
