"""`ASGITransport`: an ASGI app behind a client of httpx2 or httpx, async or sync; HTTP and WebSockets."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import anyio.to_thread

from .._app_task import longest_end
from .._requests import habits_of, scope_of, websocket_scope_of
from .._scenario import Scenario
from ._asgi_call import AsgiCall, no_longer_than
from ._library import async_stream, body_length, head_of, library_of, read_timeout, sync_stream, timed_out
from ._lifespan_manager import PATIENCE, LifespanManager
from ._loop_thread import LoopThread
from ._websocket_call import WebSocketCall

if TYPE_CHECKING:
    import httpx2

    from ...types import ASGIApp

    class _Transport(httpx2.AsyncBaseTransport, httpx2.BaseTransport): ...
else:
    _Transport = object  # neither library is needed until a client of it comes with a request

_ANNOUNCED = ("http.response.debug", "http.response.trailers")


class ASGITransport(_Transport):
    """Send a client's requests straight to an ASGI app; both bodies stream.

        async with httpx2.AsyncClient(transport=ASGITransport(app), base_url="http://testserver") as client:
            async with client.stream("GET", "/events") as response:
                async for line in response.aiter_lines(): ...

    The client's read timeout holds for the head, for each chunk, and for the app's end after the last one.  Closing a
    response early is a disconnect for the app.  An app that blocks the loop for longer, even while nobody waits for it,
    is thrown out of the call as far as that can be done, see `arun`.  Entering the client runs the app's lifespan.  An
    async client may be one of asyncio's or trio's.  With a sync client, the app runs on a loop on a thread of the
    transport's own, from entering the client to closing it, or for one request if it is not entered.  `ws://` and
    `wss://` requests open a WebSocket, see `connect_websocket`.

    Args:
        app: the ASGI app.
        lifespan: `"auto"` runs startup and shutdown around the client, `"on"` raises what an app without one raises,
            `"off"` runs none.
        raise_app_exceptions: raise what the app raises; otherwise it becomes a 500.
        root_path: where the app is mounted.
        client: (address, port) of the client, or None.
        like: a server whose scope to imitate, see `presets`.
        backend: of the loop for sync clients, `"asyncio"` or `"trio"`.
        backend_options: of that backend, such as `{"use_uvloop": True}`, see `anyio.run`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        lifespan: Literal["auto", "on", "off"] = "auto",
        raise_app_exceptions: bool = True,
        root_path: str = "",
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
        like: str | None = None,
        backend: Literal["asyncio", "trio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
    ) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self._where = (root_path, client)
        self._habits = habits_of(Scenario(like=like), "asgi")
        self._extensions: dict[str, Any] = {} if like else {name: {} for name in _ANNOUNCED}
        self._lifespan = lifespan
        self._manager: LifespanManager | None = None
        self._backend = (backend, backend_options)
        self._thread: LoopThread | None = None

    @property
    def state(self) -> dict[str, Any]:
        """What the app put into its lifespan's state."""
        return self._manager.state if self._manager else {}

    # For async clients

    async def __aenter__(self) -> ASGITransport:
        if self._lifespan != "off":
            self._manager = await LifespanManager(self.app, required=self._lifespan == "on").__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the lifespan."""
        manager, self._manager = self._manager, None
        if manager is not None:
            await manager.__aexit__()

    async def handle_async_request(self, request: Any) -> Any:
        """Answer one request of an async client."""
        call, status, headers, chunks = await self._begin(request, aiter(request.stream), [])
        stream = async_stream(library_of(request))(chunks, call.close)
        return _response(request, call, status, headers, stream)

    async def _begin(
        self, request: Any, body: AsyncIterator[bytes], begun: list[AsgiCall | WebSocketCall]
    ) -> tuple[Any, int, Any, AsyncIterator[bytes]]:
        timeout = read_timeout(request)
        call = self._call(request, body, timeout)
        begun.append(call)

        def late() -> Exception:
            return timed_out(request, timeout, call.so_far())

        try:
            status, headers = await call.head(timeout)
        except TimeoutError:
            error = late()
            await call.close()
            raise error from None
        except BaseException:
            await call.close()
            raise
        silent = request.method == "HEAD"
        return call, status, headers, no_longer_than(call.chunks(timeout, silent), late)

    def _call(self, request: Any, body: AsyncIterator[bytes], timeout: float | None) -> AsgiCall | WebSocketCall:
        head, app = head_of(request, *self._where), self._manager or self.app
        if request.url.scheme in ("ws", "wss"):
            return WebSocketCall(app, websocket_scope_of(head, self._habits), timeout)
        scope = scope_of(head, self._habits)
        scope["extensions"] = {**scope.get("extensions", {}), **self._extensions}
        return AsgiCall(app, scope, body, body_length(request), self.raise_app_exceptions, timeout)

    # For sync clients

    def __enter__(self) -> ASGITransport:
        self._thread = LoopThread(*self._backend)
        try:
            if self._lifespan != "off":
                self._thread.run(self.__aenter__, limit=PATIENCE + longest_end())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the lifespan, and the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                if self._manager is not None and not thread.blocked:  # which was told
                    thread.run(self.aclose, limit=PATIENCE + longest_end())
            finally:
                thread.stop()

    def handle_request(self, request: Any) -> Any:
        """Answer one request of a sync client."""
        with ExitStack() as stack:
            thread, limit = self._thread, read_timeout(request)
            if thread is None:
                thread = LoopThread(*self._backend)
                stack.callback(thread.stop)
            within = None if limit is None else limit + longest_end()  # one that is late is stopped as well
            body, begun = _in_threads(iter(request.stream)), list[AsgiCall | WebSocketCall]()

            def late(where: str) -> Exception:
                return timed_out(request, limit, "\n".join([*(call.messages() for call in begun), where]))

            begin = partial(self._begin, request, body, begun)
            call, status, headers, chunks = thread.run(begin, limit=within, late=late)
            stack.callback(thread.run, call.close, limit=longest_end(), late=late)
            stream = sync_stream(library_of(request))(_pulled(thread, chunks, within, late), stack.pop_all().close)
        response = _response(request, call, status, headers, stream)
        response.extensions["anysgi.loop"] = thread
        return response


def _response(request: Any, call: AsgiCall | WebSocketCall, status: int, headers: Any, stream: Any) -> Any:
    made = sys.modules[library_of(request)].Response(status, headers=headers, stream=stream, request=request)
    made.extensions = call.extensions  # the very dict: trailers come last
    return made


def _pulled(
    thread: LoopThread, chunks: AsyncIterator[bytes], limit: float | None, late: Callable[[str], Exception]
) -> Iterator[bytes]:
    while (chunk := thread.run(anext, chunks, None, limit=limit, late=late)) is not None:
        yield chunk


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A sync client's request body, which may block while it is made."""
    while (chunk := await anyio.to_thread.run_sync(next, chunks, None)) is not None:
        yield chunk
