"""`LifespanManager`: run an ASGI app's lifespan around a block, as a server does around its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from ...exceptions import AppProtocolError, LifespanError
from .._app_task import AppTask
from .._within import Within

if TYPE_CHECKING:
    from ...types import ASGIApp, Message, Receive, Scope, Send

PATIENCE = 5.0  # seconds
_EVENTS = 2  # startup and shutdown


class LifespanManager:
    """Startup on entry, shutdown on exit; in between, itself an ASGI app that hands out the state.

        async with LifespanManager(app) as running:
            exchange = await arun(running)

    Works on asyncio and on trio.  An app that takes no part in lifespan is served all the same (ASGI spec, "Lifespan").

    Args:
        app: the ASGI app.
        timeout: seconds that startup, and shutdown, may take, and the app may block the loop; see `arun`.
        required: raise what an app raises instead of answering the startup, where others are served all the same.

    Attributes:
        state: what the app put into its lifespan's state; each scope gets a shallow copy.

    Raises:
        LifespanError: startup or shutdown failed, or took too long, or the app was thrown out; with the messages.
    """

    def __init__(self, app: ASGIApp, timeout: float = PATIENCE, *, required: bool = False) -> None:
        self.app = app
        self.required = required
        self.timeout = timeout
        self.state: dict[str, Any] = {}
        self._task: AppTask | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of the running app."""
        await self.app({**scope, "state": dict(self.state)}, receive, send)

    async def __aenter__(self) -> LifespanManager:
        self._tell, self._told = anyio.create_memory_object_stream[dict[str, Any]](_EVENTS)
        self._put, self._answers = anyio.create_memory_object_stream[dict[str, Any]](_EVENTS)
        self._said: list[str] = []
        self._task = task = AppTask(self._run, self._so_far, self.timeout)
        try:
            await self._ask(task, "startup")
        except BaseException:
            await self._end()
            raise
        if self._task.over:  # without a lifespan; nobody may come to say more
            await self._end()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._task is None:
            return
        task = self._task
        try:
            if not task.over:
                await self._ask(task, "shutdown")
            elif task.blocked:
                raise LifespanError(f"the app was thrown out\n{self._so_far()}\nIt stood at {task.stands_at()}")
        finally:
            await self._end()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        with self._put:  # whoever waits for an answer reads to the end of it
            await self.app(scope, self._told.receive, self._send)

    def _so_far(self) -> str:
        return "Messages so far:\n" + "\n".join(self._said)

    async def _send(self, message: Message) -> None:
        self._said.append(f"app -> server  {message['type']}")
        if not message["type"].startswith("lifespan."):
            raise AppProtocolError(f"{message['type']!r} is no answer to a lifespan event")
        await self._put.send(dict(message))

    async def _ask(self, task: AppTask, event: str) -> None:
        """Send one event, and wait for its answer; an app that raises instead of answering has no lifespan."""
        self._said.append(f"server -> app  lifespan.{event}")
        self._tell.send_nowait({"type": f"lifespan.{event}"})
        try:
            with Within(task, self.timeout):
                self._judge(event, await self._answers.receive())
        except TimeoutError:
            what = f"lifespan.{event} was not answered within {self.timeout} s"
            raise LifespanError(f"{what}\n{self._so_far()}\nIt stood at {task.stands_at()}") from None
        except anyio.EndOfStream:
            if event == "startup" and self.required and task.error is not None:
                task.error.add_note('An app without a lifespan, as Django, is served with lifespan="auto".')
                task.raise_error()
            if event == "shutdown" and task.error is not None:
                raise LifespanError("the app raised at shutdown") from task.error

    def _judge(self, event: str, answer: dict[str, Any]) -> None:
        if answer["type"] != f"lifespan.{event}.complete":
            raise LifespanError(f"{event} failed: {answer.get('message') or answer['type']}")

    async def _end(self) -> None:
        """Nothing more is said: an app that waits for it ends by an error, or is cancelled."""
        task, self._task = self._task, None
        self._tell.close()
        try:
            if task is not None:
                await task.stop()
        finally:  # the caller may be cancelled itself
            self._told.close()
            self._answers.close()
