"""One request to an ASGI app whose response is taken chunk by chunk.

OPEN ──the last message──> SAID ──there is room for it──> OVER    the app may still tidy up, and is waited for
  └─────── close() ─────────┴──> LEFT    `receive()` says so, `send()` raises, then the app is cancelled
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio

from ...exceptions import AppProtocolError, ClientDisconnected
from .._app_task import AppTask
from .._within import Within

if TYPE_CHECKING:
    from ...types import ASGIApp, Message

OPEN, SAID, OVER, LEFT = "OPEN", "SAID", "OVER", "LEFT"
_SHOWN = 20
_AHEAD = 1  # messages the app may be ahead of the client


class AsgiCall:
    """The app in its own task, and the client's side of it.

    Args:
        app: the ASGI app.
        scope: the request.
        body: the request body, chunk by chunk; read when the app asks.
        length: its bytes, None if nobody knows.
        raise_app_exceptions: raise what the app raises; otherwise it becomes a 500.
        patience: seconds the app may block the loop while nobody waits for it; None for ever.

    Attributes:
        extensions: what the app said beside its response, by the names of ASGI's extensions.
    """

    def __init__(
        self,
        app: ASGIApp,
        scope: dict[str, Any],
        body: AsyncIterator[bytes],
        length: int | None,
        raise_app_exceptions: bool,
        patience: float | None,
    ) -> None:
        self._app, self._scope, self._body = app, scope, body
        self._raises = raise_app_exceptions
        self._put, self._take = anyio.create_memory_object_stream[dict[str, Any]](_AHEAD)
        self._over = anyio.Event()
        self._to_come = length
        self._uploaded = False
        self._stage = OPEN
        self._last = "http.response.body"
        self.extensions: dict[str, Any] = {}
        self._said: deque[str] = deque(maxlen=_SHOWN)
        self._task = AppTask(self._run, self.messages, patience)

    async def _run(self) -> None:
        with self._put:  # the client reads to the end of it
            await self._app(self._scope, self._receive, self._send)

    def so_far(self) -> str:
        """What was said, and where the app stands, for people."""
        return f"{self.messages()}\nIt stood at {self._task.stands_at()}"

    def messages(self) -> str:
        """What was said, for people."""
        return "Messages so far:\n" + ("\n".join(self._said) or "(no message)")

    # The app's side

    async def _receive(self) -> dict[str, Any]:
        message = await self._next_event()
        self._said.append(f"server -> app  {message['type']}  {len(message.get('body', b''))} bytes")
        return message

    async def _next_event(self) -> dict[str, Any]:
        if not self._uploaded and self._stage is not LEFT:
            return {"type": "http.request", "body": await self._next_part(), "more_body": not self._uploaded}
        if not self._over.is_set():  # else without a pause: Starlette's is_disconnected() cancels before it asks
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
        if self._stage in (SAID, OVER):
            return  # "ignored", says the spec
        said = dict(message)
        self._said.append(f"app -> server  {said['type']}  {len(said.get('body', b''))} bytes")
        if self._is_last(said):
            self._stage = SAID
        try:
            await self._put.send(said)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise ClientDisconnected("the client closed the response") from None
        if self._stage is SAID:
            self._stage = OVER
            self._over.set()

    def _is_last(self, message: dict[str, Any]) -> bool:
        kind = message["type"]
        if kind == "http.response.start" and message.get("trailers"):
            self._last = "http.response.trailers"
        return kind == self._last and not message.get("more_body") and not message.get("more_trailers")

    # The client's side

    async def head(self, timeout: float | None) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Wait for the status and the headers.

        Raises:
            TimeoutError: they took too long.
            Exception: what the app raised.
        """
        message = await self._next(timeout)
        while message is not None and message["type"] != "http.response.start":  # early hints
            if message["type"] == "http.response.debug":
                self.extensions["http.response.debug"] = message["info"]
            message = await self._next(timeout)
        if message is None:
            return 500, []
        if message.get("trailers"):
            self.extensions["http.response.trailers"] = []
        return message["status"], [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]

    async def chunks(self, timeout: float | None, silent: bool = False) -> AsyncIterator[bytes]:
        """The body, as the app sends it, or nothing of it if `silent`; ends when the app has."""
        while (message := await self._next(timeout)) is not None:
            if (body := message.get("body")) and not silent:
                yield bytes(body)
            if message["type"] == "http.response.trailers":
                self.extensions["http.response.trailers"] += message.get("headers", ())
            if self._is_last(message):
                await self._ended(timeout)
                return

    async def _next(self, timeout: float | None) -> dict[str, Any] | None:
        """The next message; None once the app has failed and nobody wants to know."""
        try:
            with Within(self._task, timeout):
                return await self._take.receive()
        except anyio.EndOfStream:
            await self._ended(timeout)
        if self._raises:
            raise AppProtocolError("the app returned before its response was complete; end it with a body message")
        return None

    async def _ended(self, timeout: float | None) -> None:
        """Wait for the app, and raise what it raised."""
        if not await self._task.ends(timeout):
            raise TimeoutError
        if self._raises:
            self._task.raise_error()

    async def close(self) -> None:
        """The client is done: an app that is not is told, and then cancelled."""
        if self._stage is not OVER:
            self._stage = LEFT
        self._over.set()
        self._take.close()  # a send() that waits for room fails
        await self._task.stop()


async def no_longer_than(chunks: AsyncIterator[bytes], late: Callable[[], Exception]) -> AsyncIterator[bytes]:
    """The same chunks; a TimeoutError becomes the client library's own."""
    async with aclosing(chunks) as open_chunks:  # type: ignore[type-var]  # an async generator, always
        try:
            async for chunk in open_chunks:
                yield chunk
        except TimeoutError:
            raise late() from None
