"""`LifespanManager`: run an ASGI app's lifespan around a block, as a server does around its requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ...exceptions import AppProtocolError, LifespanError

if TYPE_CHECKING:
    from ...types import ASGIApp, Message, Receive, Scope, Send


class LifespanManager:
    """Startup on entry, shutdown on exit; in between, itself an ASGI app that hands out the state.

        async with LifespanManager(app) as running:
            exchange = await arun(running)

    An app that takes no part in lifespan is served all the same (ASGI spec, "Lifespan").

    Args:
        app: the ASGI app.
        timeout: seconds that startup, and shutdown, may take.

    Attributes:
        state: what the app put into its lifespan's state; each scope gets a shallow copy.

    Raises:
        LifespanError: startup or shutdown failed, or took too long.
    """

    def __init__(self, app: ASGIApp, timeout: float = 5.0) -> None:
        self.app = app
        self.timeout = timeout
        self.state: dict[str, Any] = {}
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of the running app."""
        await self.app({**scope, "state": dict(self.state)}, receive, send)

    async def __aenter__(self) -> LifespanManager:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.create_task(self._run(scope), name="anysgi.testing: lifespan")
        try:
            await self._ask("startup")
        except BaseException:
            self._task.cancel()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._task is not None and not self._task.done():
            try:
                await self._ask("shutdown")
            finally:
                self._task.cancel()
                await asyncio.wait([self._task])

    async def _run(self, scope: dict[str, Any]) -> None:
        await self.app(scope, self._to_app.get, self._send)

    async def _send(self, message: Message) -> None:
        if not message["type"].startswith("lifespan."):
            raise AppProtocolError(f"{message['type']!r} is no answer to a lifespan event")
        await self._from_app.put(dict(message))

    async def _ask(self, event: str) -> None:
        """Send one event, and wait for its answer; an app that raises instead of answering has no lifespan."""
        assert self._task is not None
        await self._to_app.put({"type": f"lifespan.{event}"})
        answering = asyncio.ensure_future(self._from_app.get())
        try:
            await asyncio.wait([answering, self._task], timeout=self.timeout, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                self._judge(event, answering.result())
            elif not self._task.done():
                raise LifespanError(f"lifespan.{event} was not answered within {self.timeout} s")
            elif event == "shutdown" and self._task.exception() is not None:
                raise LifespanError("the app raised at shutdown") from self._task.exception()
        finally:
            answering.cancel()

    def _judge(self, event: str, answer: dict[str, Any]) -> None:
        if answer["type"] != f"lifespan.{event}.complete":
            raise LifespanError(f"{event} failed: {answer.get('message') or answer['type']}")
