"""A scripted WSGI server for one request: the server's side of PEP 3333, with a client that does what a scenario says.

`start_response` proposes a head; the first non-empty chunk, `write()`, or the end sends it:

               start       start with exc_info    chunk or end
    IDLE       PROPOSED    PROPOSED               the app's mistake
    PROPOSED   mistake     PROPOSED               SENT
    SENT       mistake     raises exc_info        SENT
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ..exceptions import AppProtocolError
from ._framing import is_whole
from ._leaks import suspended_inside
from ._peer_events import Disconnect, Pause, SendBlocks, SendFails
from ._requests import environ_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._presets import Habits
    from ._record import Record

IDLE, PROPOSED, SENT = "IDLE", "PROPOSED", "SENT"


class WsgiServer:
    """Serve one request.

    Args:
        record: where it is written down; has the scenario.
        habits: how the server behaves.
    """

    __slots__ = ("_broken", "_exchange", "_gone", "_habits", "_proposed", "_record", "_scenario", "_sent", "_state")

    def __init__(self, record: Record, habits: Habits) -> None:
        self._record = record
        self._exchange = record.exchange
        self._scenario = record.exchange.scenario
        self._habits = habits
        self._state = IDLE
        self._proposed: tuple[str, list[tuple[str, str]]] = ("", [])
        self._sent = 0
        self._gone = False
        self._broken: OSError | None = None  # the error of our own making

    def serve(self, app: Callable[..., Iterable[bytes]]) -> None:
        """Call the app, send what it yields, close what it returned; what it raises is kept in the exchange."""
        exchange = self._exchange
        errors = io.StringIO()
        nothing = not self._scenario.upload and self._scenario.upload_complete
        body = io.BytesIO() if nothing else io.BufferedReader(_Body(self._record, self._habits))
        exchange.request = environ_of(self._scenario, self._habits, body, errors)
        iterable: Any = None
        try:
            iterable = app(exchange.request, self.start_response)
            self._relay(iterable)
        except BaseException as error:
            if error is not self._broken:
                exchange.exception = error
        self._close(iterable)
        exchange.leaks += suspended_inside(iterable)

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., None]:
        """PEP 3333, "The start_response() Callable"."""
        message = {"type": "start_response", "status": status, "headers": headers, "exc_info": bool(exc_info)}
        self._record.add("app", message)
        try:
            if exc_info and self._state is SENT:
                raise exc_info[1].with_traceback(exc_info[2])
            if not exc_info and self._state is not IDLE:
                raise AppProtocolError("start_response() was called again; to replace the head pass exc_info")
        finally:
            exc_info = None
        self._proposed, self._state = (status, list(headers)), PROPOSED
        return self.write

    def write(self, data: bytes) -> None:
        """PEP 3333, "The write() Callable"."""
        self._record.add("app", {"type": "write", "body": data})
        self._transmit(data)

    def _relay(self, iterable: Iterable[bytes]) -> None:
        for chunk in iterable:
            self._record.add("app", {"type": "chunk", "body": chunk})
            if chunk:
                self._transmit(chunk)
        if self._state is not SENT:
            self._commit()
        self._exchange.complete = not self._gone and is_whole(self._exchange)

    def _transmit(self, chunk: bytes) -> None:
        if not isinstance(chunk, bytes):
            raise AppProtocolError(f"a body is made of bytes, not {type(chunk).__name__}: {chunk!r:.60}")
        if self._state is not SENT:
            self._commit()
        if chunk:
            self._send_one()
            self._exchange.chunks.append(chunk)

    def _commit(self) -> None:
        if self._state is IDLE:
            raise AppProtocolError("the app never called start_response(); it comes before the first byte of body")
        self._send_one()
        status, headers = self._proposed
        code, _, reason = status.partition(" ")
        self._exchange.status, self._exchange.reason = int(code), reason
        self._exchange.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._state = SENT

    def _send_one(self) -> None:
        """A message leaves, or fails to; the client may leave after it."""
        if self._scenario.peer:
            self._meet(self._sent + 1)
        self._sent += 1

    def _meet(self, number: int) -> None:
        """What the client does about a message."""
        blocks = self._scenario.event(SendBlocks, at=number)
        if blocks is not None:
            self._record.skipped += blocks.seconds or 0.0
            self._gone = self._gone or blocks.seconds is None
        fails = self._scenario.event(SendFails, at=number)
        if fails is not None or self._gone:
            self._gone = True
            self._broken = (fails.error if fails else ConnectionResetError)("the client is gone")
            raise self._broken
        leaves = self._scenario.event(Disconnect)
        self._gone = leaves is not None and leaves.after_messages == number

    def _close(self, iterable: Any) -> None:
        close = getattr(iterable, "close", None)
        if close is None:
            return
        self._exchange.close_calls += 1
        self._record.note("server", {"type": "close"})
        try:
            close()
        except BaseException as error:
            self._exchange.exception = self._exchange.exception or error


class _Body(io.RawIOBase):
    """The upload, chunk by chunk, as raw reads; the buffered reader in front of it does the rest."""

    def __init__(self, record: Record, habits: Habits) -> None:
        scenario = record.exchange.scenario
        self._chunks, self._whole = list(enumerate(scenario.upload)), scenario.upload_complete
        self._record = record
        self._cut_is_an_error = habits.upload != "eof"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._chunks:
            index, chunk = self._chunks[0]
            pause = self._record.exchange.scenario.event(Pause, before_chunk=index)
            self._record.skipped += pause.seconds if pause else 0.0
            piece, rest = chunk[: len(buffer)], chunk[len(buffer) :]
            self._chunks[:1] = [(-1, rest)] if rest else []
            if piece:
                self._record.add("server", {"type": "read", "body": piece})
                buffer[: len(piece)] = piece
                return len(piece)
        if not self._whole and self._cut_is_an_error:
            raise ConnectionResetError("the client left before its upload was complete")
        return 0
