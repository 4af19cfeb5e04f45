"""What importing the app left running or open: a fork shares the descriptors and loses the threads."""

from __future__ import annotations

import gc
import socket
import threading
from typing import TYPE_CHECKING

from .._inventory._source import place_of
from ._finding import Evidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient


def started_by_import(patient: Patient) -> Iterator[Finding]:
    """Threads and connections there are right after the import; an error if `preload_app` is on."""
    preload = next((setting for setting in patient.gunicorn if setting.name == "preload_app" and setting.value), None)
    severity: Severity = "error" if preload else "note"
    where = (Evidence("preload_app = True", patient.gunicorn_file, preload.line),) if preload else ()
    threads = [thread for thread in threading.enumerate() if not _is_expected(thread)]
    if threads:
        yield Finding(
            "preload",
            severity,
            f"importing the app started {len(threads)} threads; in a process forked from this one they do not exist",
            (*where, *map(_thread, threads)),
            "start them in the lifespan, or in gunicorn's post_fork",
        )
    connections = list(_connections())
    if connections:
        yield Finding(
            "preload",
            severity,
            f"importing the app opened {len(connections)} connections; forked processes would share them, and their "
            "answers would mix",
            (*where, *connections),
            "open them in the lifespan, or on first use",
        )


def _is_expected(thread: threading.Thread) -> bool:
    """Whether it is the main one, or one of our own: those are made anew after a fork."""
    return thread is threading.main_thread() or thread.name.startswith("anysgi-")


def _thread(thread: threading.Thread) -> Evidence:
    target = getattr(thread, "_target", None) or type(thread).run
    return Evidence(f"thread {thread.name}", *place_of(target))


def _connections() -> Iterator[Evidence]:
    for thing in gc.get_objects():  # by `type`: a lazy object asked for its class would wake up
        if issubclass(type(thing), socket.socket) and thing.fileno() >= 0:
            yield Evidence(f"{thing!r}")
        elif f"{type(thing).__module__}.{type(thing).__qualname__}" in _OPEN:
            yield Evidence(f"{type(thing).__module__}.{type(thing).__qualname__}")


_OPEN = ("sqlite3.Connection", "psycopg2.extensions.connection", "psycopg.Connection", "pymysql.connections.Connection")
