"""Runs an ASGI app's lifespan, as its server (ASGI spec, "Lifespan").

                      startup.complete   startup.failed   app returns or raises          shutdown()
STARTING              STARTED            FAILED           UNSUPPORTED, FAILED if required
STARTED                                                   STOPPED                        STOPPING
STOPPING, on shutdown.complete or .failed, or the app's return: STOPPED
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..exceptions import AppProtocolError, LifespanError

if TYPE_CHECKING:
    from .._bridge._port import Port, Task
    from ..types import ASGIApp, Message

log = logging.getLogger("anysgi")

STARTING, STARTED, FAILED, UNSUPPORTED, STOPPING, STOPPED = range(6)

_EVENTS = {
    (STARTING, "lifespan.startup.complete"): STARTED,
    (STARTING, "lifespan.startup.failed"): FAILED,
    (STOPPING, "lifespan.shutdown.complete"): STOPPED,
    (STOPPING, "lifespan.shutdown.failed"): STOPPED,
}


class LifespanClient:
    """One app's lifespan, on one loop.

    Args:
        app: the ASGI app.
        port: the loop that will serve its requests as well.
        required: an app without lifespan is an error.
        state: where the app puts what its requests share; None for a dict of its own.
    """

    def __init__(self, app: ASGIApp, port: Port, *, required: bool, state: dict[str, Any] | None = None) -> None:
        self._app = app
        self._port = port
        self._required = required
        self._bell = port.bell()
        self._phase = STARTING
        self._told = 0  # events the app was given; a cancelled receive() took none
        self._problem = ""
        self._cause: BaseException | None = None
        self._task: Task | None = None
        self._state: dict[str, Any] = {} if state is None else state

    @property
    def state(self) -> dict[str, Any] | None:
        return None if self._phase == UNSUPPORTED else self._state

    async def startup(self, timeout: float) -> None:
        """Start the app.

        Raises:
            LifespanError: it failed, or took longer than `timeout` seconds.
        """
        self._task = self._port.spawn(self._run())
        try:
            async with self._port.timeout(timeout):
                await self._while(STARTING)
        except TimeoutError:
            self._phase, self._problem = FAILED, f"not complete after {timeout} s"
        if self._phase == FAILED:
            await self._port.stop(self._task)
            raise LifespanError(f"the app's startup failed: {self._problem}") from self._cause

    async def shutdown(self, timeout: float) -> None:
        """Stop the app.

        Raises:
            LifespanError: it failed, or took longer than `timeout` seconds.
        """
        if self._phase != STARTED or self._task is None:
            return
        self._phase = STOPPING
        self._bell.ring()
        try:
            async with self._port.timeout(timeout):
                await self._while(STOPPING)
                await self._port.join(self._task)
        except TimeoutError:
            self._phase, self._problem = STOPPED, f"not complete after {timeout} s"
        await self._port.stop(self._task)
        if self._problem:
            raise LifespanError(f"the app's shutdown failed: {self._problem}") from self._cause

    async def _while(self, phase: int) -> None:
        while self._phase == phase:
            await self._bell.wait()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._receive, self._send)
        except self._port.Cancelled as error:
            self._cancelled(error)
            raise
        except BaseException as error:  # a SystemExit must not end the loop, which other apps share
            self._ended(repr(error), error)
        else:
            self._ended("it returned without a word", None)
        finally:
            self._bell.ring()

    def _cancelled(self, error: BaseException) -> None:
        """From outside, because its loop ends, which is nobody's mistake; or by itself, from what it awaits."""
        from_outside = self._task is not None and self._task.cancelling() > 0
        if from_outside and self._phase in (STARTED, STOPPING):
            self._phase = STOPPED
        elif self._phase != FAILED:
            self._ended(f"{error!r}, as from awaiting a task that it had cancelled", error)

    def _ended(self, how: str, error: BaseException | None) -> None:
        if self._phase == STARTING:
            if self._required:
                self._phase, self._problem, self._cause = FAILED, how, error
            else:
                log.info("the app has no lifespan (%s)", how)
                self._phase = UNSUPPORTED
        elif self._phase == STOPPING:
            self._phase = STOPPED
            if error is not None:
                self._problem, self._cause = how, error
        elif self._phase == FAILED:
            self._cause = error
        elif self._phase == STARTED:
            self._phase = STOPPED
            log.error("the app's lifespan ended before shutdown: %s", how, exc_info=error)

    async def _receive(self) -> Message:
        if self._told == 0:
            self._told = 1
            return {"type": "lifespan.startup"}
        while self._phase in (STARTING, STARTED, FAILED) or self._told == 2:  # nothing comes after shutdown
            await self._bell.wait()
        self._told = 2
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        following = _EVENTS.get((self._phase, message["type"]))
        if following is None:
            raise AppProtocolError(f"the app sent {message['type']!r} out of turn in its lifespan")
        self._phase = following
        if message["type"].endswith(".failed"):
            # Starlette sends a whole traceback; its last line is the reason, the rest comes with the exception itself.
            self._problem = (message.get("message") or "the app gave no reason").strip().rpartition("\n")[2]
        self._bell.ring()
