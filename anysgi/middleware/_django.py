"""The Django driver: a stack as one entry of `MIDDLEWARE`, sync or async as the rest of the chain is, without a hop.

Django hands middleware an `HttpRequest` and an `HttpResponse` instead of the wire.  So a header has one value, cookies
apart; exceptions are pages already, except a middleware's own; and a response that is no stream has ended, as far as
can be seen from here, when it is handed to Django.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from ._django_views import DjangoRequest, DjangoResponse, made, without_body
from ._engine._body import Body, is_changed, is_used, pass_on
from ._engine._exchange import Exchange
from ._engine._framing import is_silent, set_length
from ._engine._response import content_length
from ._engine._wsgi_body import WatchedBody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ._engine._layer import Start
    from ._engine._stack import Stack


def django_middleware(stack: Stack, get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a Django middleware of a stack.

    Args:
        stack: the layers; those for WebSockets alone have nothing to do here.
        get_response: the rest of Django's chain, sync or async.

    Raises:
        StackError: a layer has no client for this convention.
    """
    starts = [layer.start for layer in stack.layers]
    if iscoroutinefunction(get_response):
        stack.check_duals("asynchronous", "ASGI")

        async def amiddleware(request: Any) -> Any:
            return await DjangoExchange(request).arun(starts, get_response)

        return amiddleware
    stack.check_duals("sync", "WSGI")

    def middleware(request: Any) -> Any:
        return DjangoExchange(request).run(starts, get_response)

    return middleware


class DjangoExchange(Exchange):
    """One request through the stack in Django's chain."""

    __slots__ = ()

    request: DjangoRequest

    def __init__(self, http: Any) -> None:
        self.begin(DjangoRequest(http))

    def run(self, starts: list[Start], get_response: Callable[[Any], Any]) -> Any:
        try:
            for call in self.enter(starts):
                call.make()
            if self.result is None:
                try:
                    self.result = DjangoResponse(get_response(self.request.hand_on()))
                except BaseException as error:
                    self.result = error
            for call in self.unwind():
                call.make()
            http, over = self._handed_over()
            if over:
                self.finish("complete")
            return http
        finally:
            self.request.unbind()

    async def arun(self, starts: list[Start], get_response: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            for call in self.enter(starts):
                await call.amake()
            if self.result is None:
                try:
                    self.result = DjangoResponse(await get_response(self.request.hand_on()))
                except BaseException as error:
                    self.result = error
            for call in self.unwind():
                await call.amake()
            http, over = self._handed_over()
            if over:
                await self.afinish("complete")
            return http
        finally:
            self.request.unbind()

    def _handed_over(self) -> tuple[Any, bool]:
        """The `HttpResponse` for Django, and whether that is its end, as far as can be seen from here."""
        result = self.result
        if isinstance(result, BaseException):
            self.result = None
            raise result
        assert result is not None
        response = result if isinstance(result, DjangoResponse) else made(result)
        http = response.http
        http.status_code = response.status
        self.forwarded()
        if is_silent(self.request, response):
            return self._silenced(response), True
        return http, self._stream(response) if http.streaming else self._pass_content(response)

    def _silenced(self, response: DjangoResponse) -> Any:
        set_length(response, None, silent=True)
        if response.status != 200 and self.request.method != "HEAD":  # 204 and 304, perhaps a layer's
            response.http = without_body(response.http)
        return response.http

    def _pass_content(self, response: DjangoResponse) -> bool:
        body, http = response.body, response.http
        if is_used(body) or is_changed(body):
            http.content = pass_on(body, body.whole or b"", last=True)
            set_length(response, len(http.content), silent=False)
        self.sent = len(http.content)
        return True

    def _stream(self, response: DjangoResponse) -> bool:
        """Put the stages and the end between a stream and Django; a file nobody changes keeps its sendfile."""
        body, http, length = response.body, response.http, content_length(response.headers)
        idle = not self.ending and not is_used(body) and self.request.bindings is None
        if not is_changed(body) and (body.is_file or idle):
            self.sent = length or 0
            return True
        set_length(response, None, silent=False)
        chunks = http.streaming_content
        http.streaming_content = (
            AsyncWatchedBody(self, chunks, body)
            if http.is_async
            else WatchedBody(self, chunks, body, length, silent=False)
        )
        return False


class AsyncWatchedBody:
    """A `WatchedBody` for a stream that is iterated asynchronously."""

    __slots__ = ("_body", "_chunks", "_exchange")

    def __init__(self, exchange: DjangoExchange, chunks: AsyncIterator[bytes], body: Body) -> None:
        self._exchange = exchange
        self._chunks = chunks
        self._body: Body | None = body

    def __aiter__(self) -> AsyncWatchedBody:
        return self

    async def __anext__(self) -> bytes:
        exchange = self._exchange
        with exchange.request.bound():
            try:
                chunk = await self._next()
            except StopAsyncIteration:
                await exchange.afinish("complete")
                raise
            except BaseException as error:
                await exchange.afinish("error" if isinstance(error, Exception) else "aborted", error)
                raise
        exchange.sent += len(chunk)
        return chunk

    async def _next(self) -> bytes:
        """The next chunk that came through the stages; they are finished after the last."""
        body = self._body
        if body is None:
            raise StopAsyncIteration
        async for chunk in self._chunks:
            passed = pass_on(body, chunk, last=False) if chunk else b""
            if passed:
                return passed
        self._body = None
        last = pass_on(body, b"", last=True)
        if not last:
            raise StopAsyncIteration
        return last

    def close(self) -> None:
        """Django closes in a thread: what a layer does about it cannot be awaited any more."""
        exchange = self._exchange
        with exchange.request.bound():
            exchange.finish("aborted")

    __del__ = close  # of a client that left, Django lets the stream go without closing it
