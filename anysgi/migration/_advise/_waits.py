"""Where a thread waits while it handles a request: the standard library's blocking calls, timed while we measure.

A wait is wall time less the CPU time and the time in the run queue of the same stretch.  Calls inside a timed call
belong to it.  What C extensions do (a database driver's own sockets) is not seen here; it is left over as `unknown`.
"""

from __future__ import annotations

import functools
import importlib
import sqlite3
import sqlite3.dbapi2
import threading
from contextlib import contextmanager
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONVERTIBLE = frozenset(("sleep", "socket", "dns"))
"""Waits that a coroutine can do without a thread, given a client library for asyncio."""

_CALLS = {
    "sleep": ("time.sleep",),
    "socket": (
        *(
            f"socket.socket.{name}"
            for name in ("connect", "accept", "recv", "recv_into", "recvfrom", "send", "sendall")
        ),
        *(f"ssl.SSLSocket.{name}" for name in ("connect", "recv", "recv_into", "send", "sendall", "do_handshake")),
        "select.select",
    ),
    "dns": ("socket.getaddrinfo", "socket.gethostbyname"),
    "lock": ("threading.Event.wait", "threading.Condition.wait", "threading.Thread.join", "queue.Queue.get"),
    "process": ("subprocess.Popen.wait", "subprocess.Popen.communicate", "os.system"),
}
_SQLITE = ("execute", "executemany", "executescript", "commit", "rollback")


class Tally(threading.local):
    """What this thread has waited for since it began a request; empty while it handles none."""

    def __init__(self) -> None:
        self.waits: dict[str, float] | None = None
        self.bursts: list[float] = []  # CPU seconds between one wait and the next
        self.since = 0.0  # thread_time() when the last wait ended
        self.longest = 0.0  # seconds of the longest wait that a coroutine could do
        self.depth = 0

    def begin(self) -> None:
        """Start to count, for a request that starts now."""
        self.waits, self.bursts, self.longest, self.since = {}, [], 0.0, thread_time()

    def end(self) -> tuple[dict[str, float], float]:
        """Return the waits by kind, and the longest CPU burst between them, all in seconds."""
        waits, self.waits = self.waits or {}, None
        return waits, max([*self.bursts, thread_time() - self.since])


tally = Tally()


def run_queue() -> float:
    """Return the seconds this thread was ready but without a CPU so far; 0 where the system does not tell."""
    try:
        with open("/proc/thread-self/schedstat", "rb", buffering=0) as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _timed(kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def timed(*arguments: Any, **options: Any) -> Any:
        if tally.waits is None or tally.depth:
            return call(*arguments, **options)
        started, cpu, queued = perf_counter(), thread_time(), run_queue()
        tally.bursts.append(cpu - tally.since)
        tally.depth = 1
        try:
            return call(*arguments, **options)
        finally:
            tally.depth = 0
            tally.since = thread_time()
            waited = max(perf_counter() - started - (tally.since - cpu) - (run_queue() - queued), 0.0)
            tally.waits[kind] = tally.waits.get(kind, 0.0) + waited
            tally.longest = max(tally.longest, waited if kind in CONVERTIBLE else 0.0)

    return timed


@contextmanager
def watched() -> Iterator[None]:
    """Time the blocking calls of this process until the block ends.

    Enter it before the app is imported: what says `from time import sleep` keeps the function it got.
    """
    put_back: list[tuple[Any, str, Any, bool]] = []
    for kind, names in _CALLS.items():
        for name in names:
            owner, attribute = _owner(name)
            put_back.append((owner, attribute, getattr(owner, attribute), attribute not in vars(owner)))
            setattr(owner, attribute, _timed(kind, getattr(owner, attribute)))
    connect = _timed("database", functools.partial(sqlite3.connect, factory=_watched_connection()))
    for module in (sqlite3, sqlite3.dbapi2):
        put_back.append((module, "connect", sqlite3.connect, False))
    sqlite3.connect = sqlite3.dbapi2.connect = connect
    try:
        yield
    finally:
        for owner, attribute, value, inherited in reversed(put_back):
            if inherited:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, value)


def _owner(name: str) -> tuple[Any, str]:
    parts = name.split(".")
    owner: Any = importlib.import_module(parts[0])
    for part in parts[1:-1]:
        owner = getattr(owner, part)
    return owner, parts[-1]


def _watched_connection() -> type[sqlite3.Connection]:
    """Make a class of sqlite3 connections whose queries are timed; those of C cannot be patched."""
    methods = {name: _timed("database", getattr(sqlite3.Connection, name)) for name in _SQLITE}
    return type("Connection", (sqlite3.Connection,), methods)
