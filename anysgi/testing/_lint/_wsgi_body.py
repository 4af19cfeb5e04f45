"""What a LintWSGI returns to the server in place of the app's iterable: the same chunks, each judged.

The iterable and its iterator are two objects, so that it can be seen which of them is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _wsgi_order as order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._wsgi_exchange import WsgiExchange


class LintIterable:
    """The app's iterable, watched.

    Args:
        iterable: what the app returned.
        exchange: the request.
        outer: the exchange of a LintWSGI around a middleware that this iterable goes to.
    """

    def __init__(self, iterable: Any, exchange: WsgiExchange, outer: WsgiExchange | None) -> None:
        self.iterable, self.exchange, self.outer = iterable, exchange, outer
        self.iterator_closed = False

    def __iter__(self) -> Iterator[Any]:
        return LintIterator(self)

    def close(self) -> None:
        """Close the app's iterable, if it can be closed."""
        exchange = self.exchange
        exchange.on_thread("close()")
        exchange.take(order.CLOSE)
        try:
            if hasattr(self.iterable, "close"):
                self.iterable.close()
        finally:
            exchange.finish()

    def __del__(self) -> None:
        if self.exchange.state is not order.CLOSED:
            id = "W056" if self.iterator_closed else "W055"
            what = "the iterator was closed, not the iterable" if self.iterator_closed else "close() was never called"
            self.exchange.find(id, what, quietly=True)


class SizedLintIterable(LintIterable):
    """For iterables with a length: a server may make a Content-Length of a list of one."""

    def __len__(self) -> int:
        return len(self.iterable)


class LintIterator:
    """Hands out the chunks one by one."""

    def __init__(self, owner: LintIterable) -> None:
        self._owner, self._exchange = owner, owner.exchange
        self._chunks = iter(owner.iterable)

    def __iter__(self) -> LintIterator:
        return self

    def __next__(self) -> Any:
        exchange = self._exchange
        exchange.on_thread("next()")
        exchange.take(order.NEXT)
        exchange.pulling = True
        try:
            chunk = next(self._chunks)
        except StopIteration:
            exchange.pulling = False
            exchange.ended()
            raise
        finally:
            exchange.pulling = False
        self._judge(chunk)
        return chunk

    def _judge(self, chunk: Any) -> None:
        self._exchange.judge("chunk", chunk)
        self._exchange.count(chunk)
        self._exchange.handed += 1
        outer = self._owner.outer
        if outer is not None:
            outer.taken += 1
            if outer.taken - outer.handed > 1:
                outer.find("W059", f"the middleware took {outer.taken} chunks and had yielded {outer.handed}")

    def close(self) -> None:
        """Close the iterator, as some middleware does in place of the iterable."""
        self._owner.iterator_closed = True
        if hasattr(self._chunks, "close"):
            self._chunks.close()
