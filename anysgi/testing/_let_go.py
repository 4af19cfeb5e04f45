"""Let a loop and the process end while a thread of a pool does not.

`concurrent.futures` joins the workers of a pool, and `threading` what is no daemon, and neither takes a time.
"""

from __future__ import annotations

import concurrent.futures.thread as pools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

GRACE = 1.0  # seconds an app has to end once its client left, once more when it was cancelled, and as its loop ends
_futures: Any = pools
_threading: Any = threading
_left: set[threading.Thread] = set()


def let_go(thread: threading.Thread, pool: Any = None) -> None:
    """Wait for a thread no more, neither when its pool is shut down nor when the process ends.

    Args:
        thread: one that does not end.
        pool: its `ThreadPoolExecutor`, if it has one.
    """
    _futures._threads_queues.pop(thread, None)
    if pool is not None:
        pool._threads.discard(thread)
    if thread.daemon:
        return
    _left.add(thread)
    if hasattr(threading, "_shutdown_locks"):
        _threading._shutdown_locks.discard(vars(thread)["_tstate_lock"])
    else:  # from CPython 3.13 the list of them is kept in C
        _threading._thread_shutdown = _join_the_others


def let_go_of_daemons() -> None:
    """The workers of a pool that an app made on a helper's thread are daemons, as that is, and joined all the same."""
    for worker in list(_futures._threads_queues):
        if worker.daemon:
            let_go(worker)


@contextmanager
def threads_as_daemons() -> Iterator[None]:
    """Have the threads that this one starts be daemons, as those are that a helper's thread starts."""
    mine: dict[str, Any] = vars(threading.current_thread())
    before, mine["_daemonic"] = mine["_daemonic"], True  # `daemon` is not to be set once a thread is started
    try:
        yield
    finally:
        mine["_daemonic"] = before


def _join_the_others() -> None:
    for thread in threading.enumerate():
        if not thread.daemon and thread not in _left and thread is not threading.current_thread():
            thread.join()
