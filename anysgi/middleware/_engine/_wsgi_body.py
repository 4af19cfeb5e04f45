"""What the server iterates in place of the app's own object, when a layer wants to see the bytes or the outcome.

Classes with `close()`, never generators: one that was not started runs no `finally` when it is closed.
"""

from __future__ import annotations

import sys
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..._core._closing import Rest, close
from ._body import is_used, pass_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._body import Body
    from ._exchange import Exchange


class Page(list[bytes]):
    """A complete body that the app handed over as an iterator of one piece; it is closed as that would be.

    Args:
        piece: all of the body.
        close: closes what the app returned.
    """

    __slots__ = ("close",)

    def __init__(self, piece: bytes, close: Callable[[], None]) -> None:
        super().__init__((piece,))
        self.close = close


def look_ahead(iterable: Iterable[bytes], length: int) -> Iterable[bytes]:
    """Take the first piece of a body of known length: a `Page` if it is all of it, as with Flask's and Django's."""
    iterator = iter(iterable)
    piece = next(iterator, b"")
    if len(piece) == length:
        return Page(piece, lambda: close(iterable))
    return Rest(iterable, chain((piece,), iterator))


class WatchedBody:
    """An app's body on its way through the stages of a stack.

    Args:
        exchange: whose outcome this body decides.
        iterable: what the app returned; closed when this is.
        body: the stages, None if there are none.
        length: bytes that will be sent, None if unknown.
        silent: nothing may be sent.
    """

    __slots__ = ("_body", "_exchange", "_iterable", "_iterator", "_length")

    def __init__(
        self, exchange: Exchange, iterable: Iterable[bytes], body: Body | None, length: int | None, *, silent: bool
    ) -> None:
        self._exchange = exchange
        self._iterable = iterable
        self._body = body if body is not None and is_used(body) and not silent else None
        self._length = 0 if silent else length
        self._iterator: Iterator[bytes] | None = iter(()) if silent else None

    def __iter__(self) -> WatchedBody:
        return self

    def __next__(self) -> bytes:
        exchange = self._exchange
        started = perf_counter()
        with exchange.request.bound():
            try:
                chunk = self._next()
                if exchange.request.limits is not None:
                    exchange.request.limits.check_idle(started)
            except StopIteration:
                exchange.finish("complete")
                raise
            except BaseException as error:
                exchange.finish("error", error)
                raise
        exchange.sent += len(chunk)
        return chunk

    def _next(self) -> bytes:
        """The next chunk that came through the stages; they are finished after the last."""
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        body = self._body
        if body is None:
            return next(self._iterator)
        for chunk in self._iterator:
            passed = pass_on(body, chunk, last=False) if chunk else b""
            if passed:
                return passed
        self._body, self._iterator = None, iter(())
        last = pass_on(body, b"", last=True)
        if last:
            return last
        raise StopIteration

    def close(self) -> None:
        """Close the app's iterable; a body that was not read to its end was aborted."""
        exchange = self._exchange
        with exchange.request.bound():
            try:
                close(self._iterable)
            except BaseException as error:
                exchange.finish("error", error)
                raise
            finally:
                exchange.finish("complete" if exchange.sent == self._length else "aborted")


def watch_file(exchange: Exchange, file: Any, length: int | None) -> bool:
    """Have a file that the server sends by itself tell its outcome when it is closed; it stays the server's own object.

    Nobody counts what the server sends: an exception under way says that it failed, no exception that it did not.

    Args:
        exchange: whose outcome this file decides.
        file: what the app made with `wsgi.file_wrapper`.
        length: bytes that will be sent, None if unknown.

    Returns:
        False where the server's wrapper lets nothing be put in place of its `close`.
    """
    close_file, before = getattr(file, "close", None), sys.exc_info()[1]

    def close_watched() -> None:
        error = sys.exc_info()[1]
        file.close = _closed  # neither twice, nor a cycle
        with exchange.request.bound():
            try:
                if close_file is not None:
                    close_file()
            except BaseException as failed:
                exchange.finish("error", failed)
                raise
            if error is not before:
                exchange.finish("aborted", error)
            else:
                exchange.sent = length or 0
                exchange.finish("complete")

    try:
        file.close = close_watched
    except AttributeError:
        return False
    return True


def _closed() -> None:
    """The `close()` of a file that was closed."""
