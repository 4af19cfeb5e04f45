"""Where one `AsgiToWsgi` lives in this process: on the loop we share among adapters, or on that of the one around it.

Each home has its own run of the app's lifespan.  A home that could not be started says why, at every request, until
`close()`.
"""

from __future__ import annotations

import threading
import weakref
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .._bridge import _forks
from ..exceptions import LifespanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._bridge._port import Port
    from ..types import ASGIApp, LifespanMode, LoopName
    from ._request_pump import RequestPump
    from ._runtime import Runtime


class Homes:
    """Finds the runtime for a request, and starts it at the first.

    Args:
        app: the ASGI app.
        loop: which kind of loop to run it on, where there is none.
        mode: whether to run its lifespan.
        startup_timeout, shutdown_timeout: seconds.

    Attributes:
        own: the runtime on the shared loop, once it is started.
    """

    def __init__(
        self, app: ASGIApp, loop: LoopName, mode: LifespanMode, startup_timeout: float, shutdown_timeout: float
    ) -> None:
        self._app = app
        self._loop: LoopName = loop
        self._mode: LifespanMode = mode
        self._startup_timeout = startup_timeout
        self._shutdown_timeout = shutdown_timeout
        self.after_fork()
        _forks.register(self)

    def after_fork(self) -> None:
        """Forget the parent's loops; the child starts its own."""
        self._lock = threading.Lock()
        self.own: Runtime | None = None
        self._outer: dict[object, Runtime] = {}
        self._failures: dict[object, LifespanError] = {}

    def start_own(self) -> Runtime:
        """Return the runtime on the shared loop; blocks until it has started.

        Raises:
            LifespanError: startup failed.
        """
        with self._lock:
            runtime = self.own
            if runtime is None:
                runtime = self.own = self._start(self._new_port, None)
            return runtime

    def _new_port(self) -> Port:
        from .._bridge._loop_thread import shared_loop  # here: `import anysgi` must not pay for asyncio

        return shared_loop(self._loop).port

    def at(self, outer: RequestPump) -> Runtime:
        """Return the runtime on the loop that `outer` is served on; blocks until it has started.

        Raises:
            LifespanError: startup failed.
        """
        port = outer.port
        runtime = self._outer.get(port.loop)
        if runtime is None or runtime.closed:
            with self._lock:
                runtime = self._outer.get(port.loop)
                if runtime is None or runtime.closed:
                    runtime = self._outer[port.loop] = self._start(lambda: port, port.loop)
        return runtime

    async def start_here(self, port: Port, state: dict[str, Any] | None) -> None:
        """Start on the loop that is running, as part of the outer lifespan; `state` is its state.

        Raises:
            LifespanError: startup failed.
        """
        runtime = self._make(port)
        await runtime.startup(self._mode, self._startup_timeout, state)
        self._outer[port.loop] = runtime

    def _start(self, find: Callable[[], Port], key: object) -> Runtime:
        failure = self._failures.get(key)
        if failure is not None:
            raise LifespanError(str(failure)) from failure.__cause__
        port = find()
        port.refuse_here()
        runtime = self._make(port)
        try:
            port.run(runtime.startup(self._mode, self._startup_timeout, None))
        except LifespanError as error:
            self._failures[key] = error
            self._give_up(runtime)
            raise
        return runtime

    def _give_up(self, runtime: Runtime) -> None:
        """It could not be started; a loop that others use goes on."""

    def _make(self, port: Port) -> Runtime:
        from ._runtime import Runtime

        self._outer = {loop: runtime for loop, runtime in self._outer.items() if runtime.port.running}
        runtime = Runtime(self._app, port, self._shutdown_timeout)
        self._watch(runtime)
        return runtime

    def _watch(self, runtime: Runtime) -> None:
        """See to it that the app is shut down when nobody holds its adapter any more."""
        weakref.finalize(self, runtime.release).atexit = False  # at exit the loop closes its guests, and waits

    def _all(self) -> list[Runtime]:
        return [*self._outer.values(), *([self.own] if self.own else [])]

    def _forget_all(self) -> None:
        self.own, self._outer, self._failures = None, {}, {}

    def close(self) -> None:
        """Shut the app down, wherever it runs; blocks.

        Raises:
            LifespanError: a shutdown failed.
            RuntimeError: called on a loop that the app runs on.
        """
        with self._lock:
            runtimes = self._all()
            for runtime in runtimes:
                runtime.port.refuse_here()
            self._forget_all()
        with ExitStack() as stack:
            for runtime in runtimes:
                stack.callback(self._close, runtime)

    def _close(self, runtime: Runtime) -> None:
        runtime.close()
