"""Deadlines a layer sets with `request.deadline()`: enforced under ASGI, looked at between steps under WSGI."""

from __future__ import annotations

from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from ...exceptions import RequestTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable


class Limits(NamedTuple):
    """Seconds to the head of the response, and between two pieces of its body; infinite where there is no limit."""

    head: float = inf
    idle: float = inf

    def check_head(self, started: float) -> None:
        """Raise `RequestTimeout` if the head comes too late."""
        if perf_counter() - started > self.head:
            raise self.late_head()

    def check_idle(self, started: float) -> None:
        """Raise `RequestTimeout` if a piece of body came too late."""
        if perf_counter() - started > self.idle:
            raise self.late_body()

    def late_head(self) -> RequestTimeout:
        return RequestTimeout(f"the app did not respond within {self.head:g} seconds")

    def late_body(self) -> RequestTimeout:
        return RequestTimeout(f"the app sent nothing for {self.idle:g} seconds")


class Deadline:
    """Limits that end an app by cancelling it, on asyncio and trio; the scope stays in the frame that calls the app."""

    def __init__(self, limits: Limits) -> None:
        from anyio import CancelScope, current_time

        self._limits = limits
        self._now = current_time
        self._late = limits.late_head
        self._scope = CancelScope(deadline=current_time() + limits.head)

    async def run(self, app: Awaitable[None]) -> None:
        """Await the app.

        Raises:
            RequestTimeout: it took too long, and has been cancelled.
        """
        with self._scope:
            await app
        if self._scope.cancelled_caught:
            raise self._late()

    def move(self, *, last: bool = False) -> None:
        """Begin anew: something has been sent."""
        self._late = self._limits.late_body
        self._scope.deadline = inf if last else self._now() + self._limits.idle
