"""One WSGI request on its thread: call the app, send what it yields, close what it returned.

All three happen on one thread and in one context.  Nothing here knows the loop: the response goes into a `ToLoop`.
"""

from __future__ import annotations

import logging
from _thread import get_ident
from typing import TYPE_CHECKING, Any

from .._core._containment import contained
from .._core._start_response import ResponseHead, check_chunk, check_iterable
from ..exceptions import AppProtocolError
from ._files import OfferedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextvars import Context

    from .._bridge._to_loop import ToLoop
    from ..types import Environ, ExcInfo, Message, Write, WSGIApp

log = logging.getLogger("anysgi")

# What iter() gives for a tuple, a Django HttpResponse, and whatever else keeps its body in a list.
_AT_HAND: frozenset[type] = frozenset([type(iter([])), type(iter(()))])


class WsgiCall:
    """A job for a `WorkerPool`.

    Args:
        app: the WSGI app.
        environ: the request; `wsgi.input` included.
        out: where the response goes.
        context: what the app runs in.
        spool: read the whole body first, and tell the app its length.

    Attributes:
        start: the `http.response.start` message; empty until the head is committed, which the first byte follows.
        file: the message that is the body, if the server is to send a file by itself.
        queued_at: when the pool queued it (monotonic seconds), 0 if a thread was free.
    """

    __slots__ = (
        "_app",
        "_environ",
        "_head",
        "_out",
        "_spool",
        "_thread",
        "_ticket",
        "context",
        "file",
        "queued_at",
        "start",
    )

    def __init__(self, app: WSGIApp, environ: Environ, out: ToLoop, context: Context, spool: bool) -> None:
        self._app = app
        self._environ = environ
        self._out = out
        self.context = context
        self._spool = spool
        self._head = ResponseHead(environ["REQUEST_METHOD"])
        self.start: Message = {}
        # Whoever takes it decides: the thread runs the app, or the loop sees to it that none does.
        self._ticket = [None]
        self._thread = 0
        self.queued_at = 0.0
        self.file: Message | None = None

    def revoke(self) -> bool:
        """Make `run` do nothing; False if it is too late."""
        try:
            self._ticket.pop()
        except IndexError:
            return False
        del self._environ  # a job waiting for a thread in vain should weigh little
        return True

    @property
    def revoked(self) -> bool:
        return not self._ticket

    def run(self) -> None:
        try:
            self._ticket.pop()
        except IndexError:
            return
        self.context.run(self._run)

    def _run(self) -> None:
        self._thread = get_ident()
        try:
            if self._spool:
                from ._spool import spool_body

                with spool_body(self._environ):
                    self._respond()
            else:
                self._respond()
        except BaseException as error:
            self._out.finish(contained(error))
        else:
            self._out.finish()

    def _respond(self) -> None:
        result: Any = self._app(self._environ, self.start_response)
        if type(result) is list:
            self._send_whole(result, closing=False)
            return
        try:
            self._send_iterable(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None and not hasattr(result, "__await__"):
                close()

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Write:
        """PEP 3333, "The start_response() Callable"."""
        try:
            self._head.propose(status, headers, exc_info)
        finally:
            exc_info = None
        return self.write

    def write(self, data: bytes) -> None:
        """PEP 3333, "The write() Callable"; for the thread the app was called on."""
        if get_ident() != self._thread:
            raise AppProtocolError("write() was called on another thread than the app; yield the chunks instead")
        if check_chunk(data) and not self._out.ended:  # nobody takes what `close()` writes
            self._put(data)

    def _send_whole(self, chunks: list[bytes], *, closing: bool) -> None:
        """The whole body is at hand: head, body and end cross the border together.

        Args:
            chunks: all of it.
            closing: whether the app has a `close()` left to call, for which nobody should wait.
        """
        size = sum(map(len, map(check_chunk, chunks)))
        if not self.start:
            # A HEAD answered with nothing does not say how long the answer to a GET would be.
            known = size or not self._head.for_head
            self.start = self._head.commit(whole=size if known else None)
            if len(chunks) == 1 and self._head.length.left == size:
                if closing:
                    self._out.put(chunks[0], last=True)
                else:
                    self._out.put_all(chunks[0])
                return
        for chunk in chunks:
            if chunk:
                self._put(chunk)
        self._end()

    def _send_iterable(self, result: Any) -> None:
        check_iterable(result)
        if isinstance(result, OfferedFile) and self._send_file(result.offer()):
            return
        chunks = iter(result)
        if type(chunks) in _AT_HAND:
            self._send_whole(list(chunks), closing=True)
        else:
            self._send_chunks(chunks)

    def _send_file(self, offer: tuple[Message, int] | None) -> bool:
        """Leave a file to the server; False if its blocks are to be sent instead."""
        if offer is None or self.start or self._head.for_head:
            return False
        message, size = offer
        self.start = self._head.commit(whole=size)
        if self._head.length.left != size:
            return False
        self.file = message
        if "file" in message:
            self._out.put_aside()
        self._out.end()
        return True

    def _send_chunks(self, chunks: Iterator[bytes]) -> None:
        out = self._out
        for chunk in chunks:
            if check_chunk(chunk):
                self._put(chunk)
                if out.ended:
                    return
                if self._head.length.left is None:
                    break
            elif out.broken:  # an app that yields nothing for a while is told as well
                return
        self._send_uncounted(chunks)

    def _send_uncounted(self, chunks: Iterator[bytes]) -> None:
        """The head is out, without a length: streams spend their time here."""
        out, put = self._out, self._out.put
        for chunk in chunks:
            if check_chunk(chunk):
                put(chunk)
            elif out.broken:
                return
        self._end()

    def _put(self, chunk: bytes) -> None:
        if not self.start:
            self.start = self._head.commit()
        length = self._head.length
        left = length.left
        if left is None:
            self._out.put(chunk)
        elif len(chunk) < left:
            length.left = left - len(chunk)
            self._out.put(chunk)
        elif not self._out.ended:
            self._put_last(chunk)

    def _put_last(self, chunk: bytes) -> None:
        length = self._head.length
        piece = length.clip(chunk)
        if len(piece) < len(chunk) and not length.silent:
            log.warning("the app sent more body than its Content-Length: %s; the rest is dropped", length.declared)
        self._out.put(piece, last=True)

    def _end(self) -> None:
        if self._out.ended:
            return
        if not self.start:
            self.start = self._head.commit()
        self._head.length.finish()
        self._out.end()
