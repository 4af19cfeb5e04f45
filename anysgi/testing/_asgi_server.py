"""A scripted ASGI server for one request: `receive` and `send`, with a client that does what a scenario says.

connected ──> over        the response is complete, or the client left: `receive` says `http.disconnect`
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from ..exceptions import AppProtocolError
from ._framing import is_whole
from ._peer_events import Disconnect, Pause, SendBlocks, SendFails
from ._requests import scope_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..types import Message
    from ._presets import Habits
    from ._record import Record


class Clock(Protocol):
    """How the peer's time passes."""

    def now(self) -> float:
        """The peer's time, in seconds from some beginning."""

    async def wait(self, awaitable: Awaitable[object]) -> None:
        """Await something of the peer's while time costs nothing."""

    async def pass_(self, seconds: float) -> None:
        """Let so many seconds go by."""


class EventLike(Protocol):
    """An `asyncio.Event` or an `anyio.Event`."""

    def set(self) -> Any: ...
    def is_set(self) -> bool: ...
    async def wait(self) -> Any: ...


class AsgiServer:
    """Serve one request.

    Args:
        record: where it is written down; has the scenario.
        habits: how the server behaves.
        clock: how pauses pass.
        state: the lifespan's state, copied into the scope (ASGI spec, "Lifespan State").
        over: an event that is not set yet, of the library whose loop runs the app.
    """

    __slots__ = (
        "_clock",
        "_exchange",
        "_gone",
        "_habits",
        "_over",
        "_pausing",
        "_record",
        "_scenario",
        "_sent",
        "_until",
        "_upload",
        "_whole",
    )

    def __init__(
        self, record: Record, habits: Habits, clock: Clock, state: dict[str, Any] | None, over: EventLike
    ) -> None:
        self._record = record
        self._exchange = record.exchange
        self._scenario = record.exchange.scenario
        self._habits = habits
        self._clock = clock
        self._whole = self._scenario.upload_complete
        self._upload = deque(enumerate(self._scenario.upload))
        if not self._upload and self._whole:
            self._upload.append((-1, b""))
        self._over = over
        self._gone = False
        self._sent = 0
        self._pausing, self._until = -2, 0.0  # the chunk that is waited for, and till when
        self._exchange.request = scope_of(self._scenario, habits)
        if state is not None:
            self._exchange.request["state"] = dict(state)
        self._look_at_the_upload()

    # What the app calls

    async def receive(self) -> dict[str, Any]:
        message = await self._next()
        self._record.add("server", dict(message))
        return message

    async def send(self, message: Message) -> None:
        self._record.add("app", dict(message))
        number = self._sent + 1
        blocks = self._scenario.event(SendBlocks, at=number)
        if blocks is not None and not self._gone:
            await self._block(blocks.seconds)
        fails = self._scenario.event(SendFails, at=number)
        if fails is not None and not self._gone:
            self._leave()
            raise fails.error("the client is gone")
        if self._gone:
            self._refuse()
        else:
            self._sent = number
            self._note(message)
            self._look_at_the_response()

    # What the client does

    async def _next(self) -> dict[str, Any]:
        if self._upload and not self._gone:
            index = self._upload[0][0]
            pause = self._scenario.event(Pause, before_chunk=index)
            if pause is not None:
                await self._pause(index, pause.seconds)
        if self._upload and not self._gone:
            _, body = self._upload.popleft()
            self._look_at_the_upload()
            return {"type": "http.request", "body": body, "more_body": bool(self._upload) or not self._whole}
        if not self._over.is_set():
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def _pause(self, index: int, seconds: float) -> None:
        """Wait before a chunk; a `receive()` that was given up has waited for a part of it already."""
        if self._pausing != index:
            self._pausing, self._until = index, self._clock.now() + seconds
        await self._clock.pass_(max(0.0, self._until - self._clock.now()))

    async def _block(self, seconds: float | None) -> None:
        if seconds is None:
            await self._clock.wait(self._over.wait())
        else:
            await self._clock.pass_(seconds)

    def _look_at_the_upload(self) -> None:
        leaves = self._scenario.event(Disconnect)
        if leaves is not None and leaves.after_messages is None and not (self._upload and self._scenario.upload):
            self._leave()

    def _look_at_the_response(self) -> None:
        leaves = self._scenario.event(Disconnect)
        if leaves is not None and leaves.after_messages == self._sent:
            self._leave()

    def _leave(self) -> None:
        self._gone = True
        self._over.set()

    def _refuse(self) -> None:
        """`send()` after the client left (ASGI spec, "Disconnected Client - send exception")."""
        if self._habits.send == "OSError":
            raise ConnectionResetError("the client is gone")

    # What the client sees

    def _note(self, message: Message) -> None:
        kind = message.get("type")
        exchange = self._exchange
        if self._over.is_set():
            return  # "ignored", says the spec
        if kind == "http.response.start":
            exchange.status = message["status"]
            exchange.headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
        elif kind == "http.response.body":
            self._note_body(message.get("body", b""), bool(message.get("more_body")))
        elif kind == "http.response.pathsend":
            with open(message["path"], "rb") as file:
                self._note_body(file.read(), False)
        elif not str(kind).startswith("http.response."):
            raise AppProtocolError(f"{kind!r} is no message of an HTTP response; send 'http.response.start' first")

    def _note_body(self, body: bytes, more: bool) -> None:
        if self._exchange.status is None:
            raise AppProtocolError("'http.response.start' comes before the first 'http.response.body'")
        if body:
            self._exchange.chunks.append(bytes(body))
        if not more:
            self._exchange.complete = is_whole(self._exchange)
            self._over.set()
