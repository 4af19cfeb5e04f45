"""Limited waits for an app on a loop, or a thread, that is not ours, which hold though it is blocked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import anyio

from ._bounded import Abandoned
from ._let_go import threads_as_daemons
from ._throwing import Guest, calls_apps, guest
from ._watchdog import Watched

if TYPE_CHECKING:
    from collections.abc import Callable


class Within(Watched):
    """Wait for an app on a loop: `with Within(app, seconds): await ...`.

    Args:
        app: whom the wait is for.
        seconds: how long; None for ever.

    Raises:
        TimeoutError: at the end of the block, if it took longer, or the app was thrown out as it blocked the loop.
    """

    __slots__ = ("_scope",)

    def __init__(self, app: Guest, seconds: float | None) -> None:
        super().__init__(app, seconds)
        self._scope = anyio.move_on_after(seconds)

    def __enter__(self) -> None:
        super().__enter__()
        self._scope.__enter__()

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> bool | None:
        swallowed = self._scope.__exit__(kind, *error)
        super().__exit__(kind, *error)
        if self._scope.cancelled_caught:
            raise TimeoutError from None
        return swallowed


class Here:
    """A WSGI app that runs on the calling thread, or an ASGI app whose loop does.

    Args:
        so_far: what was said, for people.

    Attributes:
        blocked: where it was thrown out; empty so far.
    """

    patience, steps = math.inf, 0

    def __init__(self, so_far: Callable[[], str]) -> None:
        self.blocked = ""
        self.so_far = so_far

    def run(self, job: Callable[[], object], seconds: float | None) -> None:
        """Run it, or a part of it.

        Raises:
            TimeoutError: it blocked the thread for longer.
        """
        me = guest.set(self)
        try:
            self.watch(job, seconds)
        finally:
            guest.reset(me)

    def watch(self, job: Callable[[], object], seconds: float | None) -> None:
        """The same, of a job that knows where in it the app is: it sets `guest`."""
        try:
            with Watched(self, seconds), threads_as_daemons():
                job()
        except Abandoned:
            raise TimeoutError from None


calls_apps(Here.run)
