"""`ASGITransport`: an ASGI app behind a client of httpx2 or httpx, async or sync."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .._requests import habits_of, scope_of
from .._scenario import Scenario
from ._asgi_call import AsgiCall, no_longer_than
from ._library import async_stream, body_length, head_of, library_of, read_timeout, sync_stream, timed_out
from ._lifespan_manager import LifespanManager

if TYPE_CHECKING:
    from ...types import ASGIApp

T = TypeVar("T")


class ASGITransport:
    """Send a client's requests straight to an ASGI app; both bodies stream.

        async with httpx2.AsyncClient(transport=ASGITransport(app), base_url="http://testserver") as client:
            async with client.stream("GET", "/events") as response:
                async for line in response.aiter_lines(): ...

    The client's read timeout holds for the head and for each chunk.  Closing a response early is a disconnect for the
    app.  Entering the client runs the app's lifespan.  With a sync client, the app runs on a loop on a thread of the
    transport's own, which ends when the client is closed.

    Args:
        app: the ASGI app.
        lifespan: `"auto"` runs startup and shutdown around the client, `"off"` does not.
        raise_app_exceptions: raise what the app raises; otherwise it becomes a 500.
        root_path: where the app is mounted.
        client: (address, port) of the client, or None.
        like: a server whose scope to imitate, see `presets`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        lifespan: Literal["auto", "off"] = "auto",
        raise_app_exceptions: bool = True,
        root_path: str = "",
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
        like: str | None = None,
    ) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self._where = (root_path, client)
        self._habits = habits_of(Scenario(like=like), "asgi")
        self._lifespan = lifespan
        self._manager: LifespanManager | None = None
        self._thread: _LoopThread | None = None

    # For async clients

    async def __aenter__(self) -> ASGITransport:
        if self._lifespan == "auto":
            self._manager = await LifespanManager(self.app).__aenter__()
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
        call, status, headers, chunks = await self._begin(request, aiter(request.stream))
        stream = async_stream(library_of(request))(chunks, call.close)
        return sys.modules[library_of(request)].Response(status, headers=headers, stream=stream, request=request)

    async def _begin(self, request: Any, body: AsyncIterator[bytes]) -> tuple[AsgiCall, int, Any, AsyncIterator[bytes]]:
        timeout = read_timeout(request)
        scope = scope_of(head_of(request, *self._where), self._habits)
        length = body_length(request)
        call = AsgiCall(self._manager or self.app, scope, body, length, self.raise_app_exceptions)
        late = timed_out(request, timeout)
        try:
            status, headers = await call.head(timeout)
        except TimeoutError:
            await call.close()
            raise late from None
        except BaseException:
            await call.close()
            raise
        return call, status, headers, no_longer_than(call.chunks(timeout), late)

    # For sync clients

    def __enter__(self) -> ASGITransport:
        self._on_loop(self.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the lifespan, and the thread."""
        if self._thread is not None:
            try:
                self._on_loop(self.aclose())
            finally:
                self._thread.stop()
                self._thread = None

    def handle_request(self, request: Any) -> Any:
        """Answer one request of a sync client."""
        begun = self._begin(request, _in_threads(iter(request.stream)))
        call, status, headers, chunks = self._on_loop(begun)
        stream = sync_stream(library_of(request))(self._pulled(chunks), lambda: self._on_loop(call.close()))
        return sys.modules[library_of(request)].Response(status, headers=headers, stream=stream, request=request)

    def _pulled(self, chunks: AsyncIterator[bytes]) -> Iterator[bytes]:
        while (chunk := self._on_loop(_next(chunks))) is not None:
            yield chunk

    def _on_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            self._thread = _LoopThread()
        return self._thread.run(coroutine)


class _LoopThread:
    """An event loop on a thread, for as long as a sync client is open."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name="anysgi-test-client", daemon=True)
        self._thread.start()

    def _main(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A sync client's request body, which may block while it is made."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
