"""The Django driver: a stack as one entry of `MIDDLEWARE`, sync or async as the rest of the chain is, without a hop.

Django hands middleware an `HttpRequest` and an `HttpResponse` instead of the wire.  So a header has one value, cookies
apart; exceptions are pages already, except a middleware's own; and a response that is no stream has ended, as far as
can be seen from here, when it is handed to Django.
"""

from __future__ import annotations

import io
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from .._core._fields import Headers
from ._body import Body, is_changed, is_used, pass_on
from ._exchange import Exchange
from ._framing import is_silent, set_length
from ._request import WsgiRequest
from ._response import AppResponse, Response, content_length
from ._wsgi_body import WatchedBody
from ._wsgi_input import StagedInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from ._exchange import Start
    from ._stack import Stack


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
            return await DjangoExchange(request, starts).arun(get_response)

        return amiddleware
    stack.check_duals("sync", "WSGI")

    def middleware(request: Any) -> Any:
        return DjangoExchange(request, starts).run(get_response)

    return middleware


class DjangoRequest(WsgiRequest):
    """A request over `HttpRequest.META`, which is an environ under ASGI as well."""

    __slots__ = ("http",)

    def __init__(self, http: Any) -> None:
        super().__init__(http.META)
        self.http = http

    @property
    def method(self) -> str:
        return str(self.http.method)

    @method.setter
    def method(self, method: str) -> None:
        self.http.method = self.environ["REQUEST_METHOD"] = method

    @property
    def path(self) -> str:
        return str(self.http.path)

    @path.setter
    def path(self, path: str) -> None:
        WsgiRequest.path.fset(self, path)  # type: ignore[attr-defined]  # a property, though a checker sees its type
        self.http.path = path
        self.http.path_info = path.removeprefix(self.root_path)

    @property
    def scheme(self) -> str:
        return str(self.http.scheme)

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        self.environ["wsgi.url_scheme"] = scheme
        self.http._get_scheme = lambda: scheme

    def hand_on(self) -> Any:
        """The request for the next in the chain."""
        self.http.__dict__.pop("headers", None)  # cached, and perhaps no longer what META says
        if self._body is not None and is_used(self._body):
            self.http._stream = io.BufferedReader(StagedInput(self.http._stream, self._body, None))
            if is_changed(self._body):
                self.environ.pop("CONTENT_LENGTH", None)
        return self.http


class DjangoHeaders(Headers):
    """`HttpResponse.headers`, one value a name, and `HttpResponse.cookies`."""

    __slots__ = ("_http",)

    def __init__(self, http: Any) -> None:
        self._http = http

    def getlist(self, name: str) -> list[str]:
        if name.lower() == "set-cookie":
            return [morsel.OutputString() for morsel in self._http.cookies.values()]
        value = self._http.headers.get(name)
        return [] if value is None else [value]

    def add(self, name: str, value: str) -> None:
        if name.lower() == "set-cookie":
            self._http.cookies.load(value)
        else:
            self._http.headers[name] = ", ".join([*self.getlist(name), value])

    def delete(self, name: str) -> None:
        if name.lower() == "set-cookie":
            self._http.cookies.clear()
        else:
            self._http.headers.pop(name, None)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        pairs = [(name.lower(), value) for name, value in self._http.headers.items()]
        return iter([*pairs, *(("set-cookie", value) for value in self.getlist("set-cookie"))])


class DjangoResponse(AppResponse):
    """Over an `HttpResponse`."""

    __slots__ = ("http",)

    def __init__(self, http: Any) -> None:
        self.http = http
        self._status = self._headers = self._body = None

    def _native_status(self) -> int:
        return int(self.http.status_code)

    def _native_headers(self) -> Headers:
        return DjangoHeaders(self.http)

    def _native_body(self) -> Body:
        is_file = getattr(self.http, "file_to_stream", None) is not None
        return Body(None if self.http.streaming else (self.http.content,), is_file=is_file)


class DjangoExchange(Exchange):
    """One request through the stack in Django's chain."""

    __slots__ = ()

    request: DjangoRequest

    def __init__(self, http: Any, starts: list[Start]) -> None:
        super().__init__(DjangoRequest(http), starts)

    def run(self, get_response: Callable[[Any], Any]) -> Any:
        try:
            for call in self.enter():
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

    async def arun(self, get_response: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            for call in self.enter():
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
        response = result if isinstance(result, DjangoResponse) else _made(result)
        http = response.http
        http.status_code = response.status
        self.forwarded()
        if is_silent(self.request, response):
            return self._silenced(response), True
        return http, self._stream(response) if http.streaming else self._pass_content(response)

    def _silenced(self, response: DjangoResponse) -> Any:
        set_length(response, None, silent=True)
        if response.status != 200 and self.request.method != "HEAD":  # 204 and 304, perhaps a layer's
            response.http = _without_body(response.http)
        return response.http

    def _pass_content(self, response: DjangoResponse) -> bool:
        body, http = response.body, response.http
        if is_used(body):
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
        self._exchange.finish("aborted")


def _made(response: Response) -> DjangoResponse:
    """A layer's response as Django's."""
    from django.http import HttpResponse  # type: ignore[import-untyped]  # Django has no types

    http = HttpResponse(response.body.whole, status=response.status)
    del http.headers["Content-Type"]
    made = DjangoResponse(http)
    made.headers.extend(response.headers)
    made.headers.setdefault("content-length", str(len(http.content)))
    made._body = response.body
    return made


def _without_body(http: Any) -> Any:
    """The same head; what was to follow is closed."""
    from django.http import HttpResponse

    empty = HttpResponse(status=http.status_code)
    empty.headers, empty.cookies = http.headers, http.cookies
    http.close()
    return empty
