"""An event loop on a daemon thread, one per kind of loop and process, shared by every adapter that needs it.

It is started at first use, never at import, and forgotten in a forked child, which starts its own.  At interpreter exit
its guests are closed first (that is where lifespans shut down), then the loop.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401 - its exit hook must be registered before ours, to run after it
import logging
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from . import _forks

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import LoopName
    from ._port import Port

    Begin = Callable[[Any, Callable[[], None]], None]

log = logging.getLogger("anysgi")


class LoopThread:
    """One running event loop.

    Args:
        name: `"asyncio"`, `"uvloop"` or `"trio"`.

    Raises:
        ImportError: uvloop or trio was asked for and is not installed.
    """

    def __init__(self, name: LoopName) -> None:
        host = _host(name)
        _refuse_threadless_uwsgi()
        ready = threading.Event()
        self._failure: BaseException | None = None
        try:
            self._thread = threading.Thread(
                target=self._main, args=(host, ready), name=f"anysgi-loop-{name}", daemon=True
            )
            self._thread.start()
        except RuntimeError as error:  # isolated sub-interpreters have no threads, later ones no daemons
            raise RuntimeError(f"the event loop's thread did not start ({error}); {_ADVICE}") from error
        ready.wait()
        if self._failure is not None:
            raise RuntimeError(f"the event loop did not start: {self._failure}") from self._failure

    def _main(self, host: Callable[[Begin], None], ready: threading.Event) -> None:
        def begin(port: Port, end: Callable[[], None]) -> None:
            self.port, self._end = port, end
            ready.set()

        try:
            host(begin)
        except BaseException as error:
            if ready.is_set():
                raise
            self._failure = error  # out of file descriptors, say: whoever waits for the loop is told
            ready.set()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def stop(self, timeout: float = 5.0) -> None:
        """Have every guest leave, then end the loop; waits at most `timeout` seconds for the thread."""
        for guest in list(self.port.guests):
            try:
                guest.leave()
            except Exception:  # the others, and the loop, are to be closed all the same
                log.exception("%r did not leave the event loop cleanly", guest)
        self.port.post(self._end)
        self._thread.join(timeout)
        if self._thread.is_alive():
            log.warning("the event loop thread did not end within %.1f s", timeout)


def _host(name: LoopName) -> Callable[[Begin], None]:
    """Return what runs a loop of that kind on the calling thread.

    Raises:
        ImportError: it is not installed.
    """
    try:
        if name == "trio":
            from ._trio import host_loop as host_trio

            return partial(host_trio, name)
        if name == "uvloop":
            import uvloop  # noqa: F401 - a missing one is to be told here
    except ImportError:
        raise ImportError(f'loop="{name}" needs {name}: pip install {name}') from None
    from ._asyncio import host_loop

    return partial(host_loop, name)


_ADVICE = (
    "in a sub-interpreter use AsgiToWsgi(app, mode='inline'), "
    "or run the app in the main one (mod_wsgi: WSGIApplicationGroup %{GLOBAL})"
)


def _refuse_threadless_uwsgi() -> None:
    """Raise `RuntimeError` where a thread could be started but would never run, and every request would hang."""
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is not None and not {"enable-threads", "threads"} & set(uwsgi.opt):
        raise RuntimeError(
            "this uWSGI runs no threads of Python's own, and the app's event loop needs one; "
            "start uWSGI with --enable-threads, or use AsgiToWsgi(app, mode='inline')"
        )


class _Shared:
    """The loops of this process."""

    def __init__(self) -> None:
        self.after_fork()
        _forks.register(self)

    def after_fork(self) -> None:
        self.lock = threading.Lock()
        self.loops: dict[LoopName, LoopThread] = {}

    def get(self, name: LoopName) -> LoopThread:
        with self.lock:
            found = self.loops.get(name)
            if found is None or not found.running:
                found = self.loops[name] = LoopThread(name)
            return found

    def stop(self) -> None:
        with self.lock:
            loops, self.loops = self.loops, {}
        for loop in loops.values():
            loop.stop()


_shared = _Shared()


def shared_loop(name: LoopName) -> LoopThread:
    """Return the process's loop of that kind, started if it is not running."""
    return _shared.get(name)


# atexit proper runs after executors have closed for business, but a lifespan's shutdown may well need `to_thread`.
getattr(threading, "_register_atexit", atexit.register)(_shared.stop)
