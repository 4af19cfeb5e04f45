"""An event loop on a thread, for sync clients of async apps."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
from anyio.from_thread import BlockingPortal

from .._app_task import on_trio
from .._bounded import OutOfTime, bounded, stack_of
from .._watchdog import expendable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
_SLACK = 2.0  # seconds beyond a wait's own limit, after which an app blocks its loop


async def _outcome(function: Callable[..., Awaitable[T]], *args: Any) -> tuple[T, None] | tuple[None, BaseException]:
    """What a call returns and what it raises: a SystemExit of the app would end the loop on its way through it."""
    try:
        return await function(*args), None
    except anyio.get_cancelled_exc_class():
        raise
    except BaseException as error:
        return None, error


class LoopThread:
    """Runs coroutines on a loop of its own; the thread begins with the first and ends with `stop()`.

    Not `anyio.from_thread.start_blocking_portal`: that one waits for its thread, and an app under test may block it
    for ever.

    Args:
        backend: `"asyncio"` or `"trio"`.
        options: of the backend, see `anyio.run`.

    Attributes:
        blocked: an app blocked the loop, and the thread was given up.
    """

    def __init__(self, backend: str = "asyncio", options: dict[str, Any] | None = None) -> None:
        self._run = partial(anyio.run, self._main, backend=backend, backend_options=options)
        self._ready: Future[BlockingPortal] = Future()
        self._thread: threading.Thread | None = None
        self.blocked = False

    async def _main(self) -> None:
        over = anyio.Event()
        self._end = partial(_soon(), over.set)
        async with BlockingPortal() as portal:
            self._ready.set_result(portal)
            await over.wait()
            await portal.stop(cancel_remaining=True)

    def _begin(self) -> None:
        expendable.add(threading.get_ident())
        try:
            self._run()
        except BaseException as error:  # a backend that is not installed
            if not self._ready.done():
                self._ready.set_exception(error)
        expendable.discard(threading.get_ident())

    def run(
        self,
        function: Callable[..., Awaitable[T]],
        *args: Any,
        limit: float | None = None,
        late: Callable[[str], Exception] = TimeoutError,
    ) -> T:
        """Await `function(*args)` there.

        Args:
            function, args: what to call.
            limit: seconds it promises to take at most; None for ever.
            late: makes the exception to raise when it takes longer all the same, of what is to be said: something
                blocks the loop.  The thread is given up.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._begin, name="anysgi-test-client", daemon=True)
            self._thread.start()
        call = partial(self._ready.result().call, partial(_outcome, function, *args))
        found: list[tuple[T, None] | tuple[None, BaseException]] = []
        try:  # even to hand something over waits for the loop
            if limit is None:
                found.append(call())
            else:
                bounded(lambda: found.append(call()), _SLACK if self.blocked else limit + _SLACK)
        except OutOfTime:
            self.blocked = True
            raise late(f"the app blocks its event loop at\n{stack_of(self._thread)}") from None
        value, error = found.pop()
        try:
            if error is not None:
                raise error
            return cast("T", value)
        finally:
            del error  # whose traceback leads back here

    def stop(self) -> None:
        """End the thread; one that an app blocks, or whose last tasks will not end, is not waited for."""
        if self._thread is None:
            return
        self._ready.result()
        try:
            self._end()
        except RuntimeError:  # the loop has ended: an app stopped it
            return
        self._thread.join(0 if self.blocked else _SLACK)


def _soon() -> Callable[[Callable[[], object]], object]:
    """What runs a function on this loop, called on any thread; it waits for nothing, as a portal's methods do."""
    if on_trio():
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
    return asyncio.get_running_loop().call_soon_threadsafe
