"""`AsgiToWsgi(mode="inline")`: a loop, and a run of the app's lifespan, for each of the server's threads.

For servers whose threads are the only ones that run, such as uWSGI without `--enable-threads`.  A loop stands still
between requests, so what the app still does after its response is done in the response's `close()`.
"""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .._bridge._inline import InlinePort, refuse_greenlets
from .._core._closing import close
from ._homes import Homes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._bridge._port import Port
    from ._asgi_exchange import AsgiExchange
    from ._runtime import Runtime

log = logging.getLogger("anysgi")


class InlineHomes(Homes):
    """A home for each thread; arguments as for `Homes`."""

    def after_fork(self) -> None:
        super().after_fork()
        self._threads: dict[threading.Thread, Runtime] = {}
        _living.add(self)

    @property
    def own(self) -> Runtime | None:
        """The runtime of the calling thread, once it is started."""
        return getattr(self._local, "runtime", None)

    @own.setter
    def own(self, runtime: Runtime | None) -> None:
        if runtime is None:
            self._local = threading.local()
        else:
            self._local.runtime = runtime
            self._threads[threading.current_thread()] = runtime

    def _new_port(self) -> Port:
        refuse_greenlets()
        for thread in [thread for thread in self._threads if not thread.is_alive()]:
            _end(self._threads.pop(thread))
        return InlinePort(self._loop)

    def _all(self) -> list[Runtime]:
        return [*self._outer.values(), *self._threads.values()]

    def _forget_all(self) -> None:
        super()._forget_all()
        self._threads = {}

    def _watch(self, runtime: Runtime) -> None:
        if isinstance(runtime.port, InlinePort):
            weakref.finalize(self, _end, runtime).atexit = False
        else:
            super()._watch(runtime)

    def _close(self, runtime: Runtime) -> None:
        runtime.close()
        if isinstance(runtime.port, InlinePort):
            runtime.port.end()

    def _give_up(self, runtime: Runtime) -> None:
        if isinstance(runtime.port, InlinePort):
            runtime.port.end()

    def leave(self) -> None:
        """The process is ending."""
        for runtime in self._threads.values():
            _end(runtime)


def _end(runtime: Runtime) -> None:
    """Shut down what nobody can be told about."""
    assert isinstance(runtime.port, InlinePort)
    if runtime.port.running:
        try:
            runtime.leave()
        except Exception:
            log.exception("an app did not shut down cleanly")
        runtime.port.end()


_living: weakref.WeakSet[InlineHomes] = weakref.WeakSet()


def _leave_all() -> None:
    for homes in list(_living):
        homes.leave()


# As for the loops with threads: a lifespan's shutdown may need a thread, and atexit proper comes too late for that.
getattr(threading, "_register_atexit", atexit.register)(_leave_all)


class Lingering:
    """A response that is over when the app is.

    Args:
        body: the response.
        exchange: what it is the response of.
    """

    __slots__ = ("_body", "_exchange", "_port")

    def __init__(self, body: Any, exchange: AsgiExchange, port: Port) -> None:
        self._body = body
        self._exchange = exchange
        self._port = port

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def __len__(self) -> int:
        return len(self._body)

    def close(self) -> None:
        """PEP 3333: the server is through with the response; now the app may finish."""
        close(self._body)
        self._port.run(self._exchange.settled())


def lingering(body: Iterable[bytes], exchange: AsgiExchange, port: Port) -> Iterable[bytes]:
    """Return the response so that what the app does after it is done in its `close()`, or before if it is a file."""
    if isinstance(body, (list, tuple)) or hasattr(body, "__next__"):
        return Lingering(body, exchange, port)
    port.run(exchange.settled())  # a server looks at the type of its own file wrapper
    return body
