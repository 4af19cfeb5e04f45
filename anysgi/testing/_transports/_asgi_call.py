"""One request to an ASGI app whose response is taken chunk by chunk.

asked ──> answering ──> over            the client took all: the app may still tidy up, and is waited for
             └── close() ──> left       `receive()` says so, `send()` raises, then the app is cancelled
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ...exceptions import AppProtocolError, ClientDisconnected

if TYPE_CHECKING:
    from ...types import ASGIApp, Message

_AHEAD = 1  # messages the app may be ahead of the client
_GRACE = 1.0  # seconds an app has to end once its client left


class AsgiCall:
    """The app in its own task, and the client's side of it.

    Args:
        app: the ASGI app.
        scope: the request.
        body: the request body, chunk by chunk; read when the app asks.
        length: its bytes, None if nobody knows.
        raise_app_exceptions: raise what the app raises; otherwise it becomes a 500.
    """

    def __init__(
        self,
        app: ASGIApp,
        scope: dict[str, Any],
        body: AsyncIterator[bytes],
        length: int | None,
        raise_app_exceptions: bool,
    ) -> None:
        self._app, self._scope, self._body = app, scope, body
        self._raises = raise_app_exceptions
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_AHEAD)
        self._over = asyncio.Event()
        self._to_come = length
        self._uploaded = False
        self._left = False
        self._task = asyncio.create_task(self._run(), name="anysgi.testing: the app")

    async def _run(self) -> None:
        await self._app(self._scope, self._receive, self._send)

    # The app's side

    async def _receive(self) -> dict[str, Any]:
        if not self._uploaded and not self._left:
            return {"type": "http.request", "body": await self._next_part(), "more_body": not self._uploaded}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _next_part(self) -> bytes:
        part = b""
        while not part and self._to_come != 0:
            try:
                part = await anext(self._body)
            except StopAsyncIteration:
                break
            if self._to_come is not None:
                self._to_come = max(0, self._to_come - len(part))
        self._uploaded = not part or self._to_come == 0
        return part

    async def _send(self, message: Message) -> None:
        if self._left:
            raise ClientDisconnected("the client closed the response")
        if not self._over.is_set():
            await self._messages.put(dict(message))
        if self._left:  # meanwhile
            raise ClientDisconnected("the client closed the response")

    # The client's side

    async def head(self, timeout: float | None) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Wait for the status and the headers.

        Raises:
            TimeoutError: they took too long.
            Exception: what the app raised.
        """
        message = await self._next(timeout)
        while message is not None and message["type"] != "http.response.start":  # debug, early hints
            message = await self._next(timeout)
        if message is None:
            return 500, []
        return message["status"], [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]

    async def chunks(self, timeout: float | None) -> AsyncIterator[bytes]:
        """The body, as the app sends it; ends when the app has."""
        while (message := await self._next(timeout)) is not None:
            if body := message.get("body"):
                yield bytes(body)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._over.set()
                await self._ended()
                return

    async def _next(self, timeout: float | None) -> dict[str, Any] | None:
        """The next message; None once the app has failed and nobody wants to know."""
        taking = asyncio.ensure_future(self._messages.get())
        try:
            await asyncio.wait([taking, self._task], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                return taking.result()
            if not self._task.done():
                raise TimeoutError
        finally:
            taking.cancel()
        await self._ended()
        if self._raises:
            raise AppProtocolError("the app returned before its response was complete; end it with a body message")
        return None

    async def _ended(self) -> None:
        """Wait for the app, and raise what it raised."""
        await asyncio.wait([self._task])
        if self._raises and not self._task.cancelled():
            self._task.result()

    async def close(self) -> None:
        """The client is done: an app that is not is told, and then cancelled."""
        self._left = not self._over.is_set()
        self._over.set()
        while not self._messages.empty():  # a send() that waits for room goes on, and fails
            self._messages.get_nowait()
        await asyncio.wait([self._task], timeout=_GRACE)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_GRACE)
        if self._task.done() and not self._task.cancelled():
            self._task.exception()  # seen: nobody is left to raise it to


async def no_longer_than(chunks: AsyncIterator[bytes], error: Exception) -> AsyncIterator[bytes]:
    """The same chunks; a TimeoutError becomes the client library's own."""
    async with aclosing(chunks) as open_chunks:  # type: ignore[type-var]  # an async generator, always
        try:
            async for chunk in open_chunks:
                yield chunk
        except TimeoutError:
            raise error from None
