"""The server's thread during one ASGI request: it reads the body when the app asks, and sends what the app answers.

The thread is the pump, since a WSGI server's `wsgi.input`, `start_response` and `wsgi.errors` belong to it.  A read
waits for the client, so it is only begun when the app waits for it and nothing is there to send.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from ..exceptions import BadRequest, ClientDisconnected, RequestTimeout
from ._client_watch import departure, disconnect_call, socket_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._bridge._to_loop import ToLoop
    from ..types import Environ
    from ._asgi_exchange import AsgiExchange
    from ._environ_body import EnvironBody


_LOOK_EVERY = 0.25  # seconds between two looks at the clock, and at the client where the server can tell


class ResponsePump:
    """Moves bytes for one request.

    Args:
        exchange: the loop's side.
        body: the request's body.
        environ: for `wsgi.errors` and `wsgi.early_hints`.
        timeout: seconds for the whole response; None for no limit.
        owner: the adapter, which must outlive its requests: when it goes, its app is shut down.
    """

    __slots__ = (
        "_body",
        "_deadline",
        "_disconnected",
        "_environ",
        "_errors",
        "_hung_up",
        "_next_look",
        "_owner",
        "_patience",
        "exchange",
    )

    def __init__(
        self, exchange: AsgiExchange, body: EnvironBody, environ: Environ, timeout: float | None, owner: object
    ) -> None:
        self._owner = owner
        self.exchange = exchange
        self._body = body
        self._environ = environ
        self._errors = environ["wsgi.errors"]
        self._deadline = None if timeout is None else monotonic() + timeout
        ours = exchange.outer is None  # the outer exchange, if there is one, keeps an eye on the client
        self._disconnected = disconnect_call(environ) if ours else None
        self._hung_up = socket_check(environ) if ours and not exchange.endless else None
        self._next_look = 0.0
        self._patience: float | None = None
        if timeout is not None:
            self._patience = min(timeout, _LOOK_EVERY)
        elif self._disconnected is not None or self._hung_up is not None:
            self._patience = _LOOK_EVERY

    def next(self) -> bytes:
        """Return the next bytes of the response; `b""` at its end.

        Raises:
            RequestTimeout: the app took too long.
            ClientDisconnected: the server says that nobody waits for the response.
            BaseException: what the app raised before its response was complete.
        """
        exchange, down = self.exchange, self.exchange.down
        while not (chunk := down.take()) and not down.ended:
            if exchange.messages.hints:
                self.send_hints()
            elif exchange.request is not None and exchange.request.wanted:
                self._read_body(exchange.request.flow)
            elif self._patience is None:
                down.wait()
            else:
                if not down.wait(self._patience) and self._hung_up is not None and self._hung_up():
                    raise ClientDisconnected("the connection says that the client left")
                self._look_around()
        if self._deadline is not None or self._disconnected is not None:
            self._look_around()
        return chunk

    def send_hints(self) -> None:
        """Pass on what the app gave for `103 Early Hints` (RFC 8297), if anything."""
        messages = self.exchange.messages
        while messages.hints:
            hints = messages.hints
            self._environ["wsgi.early_hints"]([("Link", link) for link in hints])
            messages.hints = messages.hints[len(hints) :]

    def _look_around(self) -> None:
        """Is there time left, and somebody to answer?"""
        now = monotonic()
        if now < self._next_look:
            return
        self._next_look = now + (self._patience or 0.0)
        if self._deadline is not None and now >= self._deadline:
            raise RequestTimeout("the app took too long")
        if self._disconnected is not None and self._disconnected():
            raise departure(self._environ)

    def _read_body(self, up: ToLoop) -> None:
        try:
            piece, more = self._body.read()
            up.put(piece, last=not more)
        except ClientDisconnected as error:
            up.finish(error)
        except BadRequest:
            if not self.exchange.messages.started:
                raise
            up.finish(ClientDisconnected("the request body is larger than allowed"))

    def finish(self) -> None:
        """The response is complete: report what the app raised since."""
        error = self.exchange.late_error() if self.exchange.outer is None else None
        if error is not None:
            self.report(error)

    def report(self, error: BaseException) -> None:
        """Write the traceback to `wsgi.errors` (PEP 3333: where applications' errors belong)."""
        import traceback  # here: `import anysgi` must not pay for it

        self._errors.write("anysgi: the ASGI app failed\n" + "".join(traceback.format_exception(error)))
        self._errors.flush()


class StreamingResponse:
    """The iterable a WSGI server gets for a response of more than one piece.

    Args:
        pump: where the rest comes from.
        first: the first piece.
    """

    __slots__ = ("__weakref__", "_first", "_pump")

    def __init__(self, pump: ResponsePump, first: bytes) -> None:
        self._pump: ResponsePump | None = pump
        self._first = first

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        first, self._first = self._first, b""
        if first:
            return first
        pump = self._pump
        if pump is None:
            raise StopIteration
        chunk = pump.next()
        if chunk:
            return chunk
        self._pump = None
        pump.finish()
        raise StopIteration

    def close(self) -> None:
        """PEP 3333: the server is through with the response; unless it was complete, the app is told."""
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.exchange.end_early()

    __del__ = close  # a server that forgets close() must not leave the app waiting
