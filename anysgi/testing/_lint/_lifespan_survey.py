"""The lifespan around a survey: startup, an event nobody knows, shutdown, each answered within the bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from ._survey_servers import RAISED

if TYPE_CHECKING:
    from ._asgi import LintASGI

_ASGI = {"version": "3.0", "spec_version": "2.0"}


class _Talk:
    """What is said between the app and us."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answers: asyncio.Queue[str] = asyncio.Queue()

    async def receive(self) -> dict[str, Any]:
        return await self.events.get()

    async def send(self, message: Any) -> None:
        await self.answers.put(str(message.get("type")))

    async def ask(self, event: str, task: asyncio.Task[None], bound: float) -> str | None:
        """The app's answer; None if it ends, or says nothing within the bound."""
        self.events.put_nowait({"type": event})
        answer = asyncio.ensure_future(self.answers.get())
        await asyncio.wait({task, answer}, timeout=bound, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return None


@asynccontextmanager
async def lifespan(lint: LintASGI, bound: float) -> AsyncIterator[dict[str, Any] | None]:
    """Run the app's lifespan around a block; its state is the block's, None where the app has no lifespan."""
    talk, state = _Talk(), dict[str, Any]()
    scope = {"type": "lifespan", "asgi": _ASGI, "state": state}
    task = asyncio.ensure_future(_called(lint, scope, talk))
    try:
        answer = await talk.ask("lifespan.startup", task, bound)
        if answer is None and not task.done():
            lint.report.add("A108", "there was no answer to lifespan.startup within the bound", "lifespan")
        started = answer == "lifespan.startup.complete"
        yield state if started else None
        if started and not task.done():
            await _end(talk, task, bound)
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=bound)


async def _called(lint: LintASGI, scope: dict[str, Any], talk: _Talk) -> None:
    with suppress(*RAISED):  # an app without lifespan raises, as the spec asks for
        await lint(scope, talk.receive, talk.send)


async def _end(talk: _Talk, task: asyncio.Task[None], bound: float) -> None:
    answer = await talk.ask("lifespan.anysgi_unknown", task, min(bound, 0.2))  # A118
    if answer is None and not task.done():
        await talk.ask("lifespan.shutdown", task, bound)
        await asyncio.wait({task}, timeout=bound)
