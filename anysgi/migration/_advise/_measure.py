"""One request to a WSGI app on this thread, measured: wall, CPU, run queue, waits, the longest burst of CPU."""

from __future__ import annotations

import io
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter, process_time, thread_time
from typing import TYPE_CHECKING, Any

from ..._core._closing import close
from ..._core._environ import environ_from_scope
from ._requests import scope_of
from ._waits import run_queue, tally

if TYPE_CHECKING:
    from .._compare._exchanges import Asked


_LONGEST = 5.0  # seconds of a body; a stream without an end is left after them


@dataclass(frozen=True, slots=True)
class Sample:
    """What one request took, all in seconds.

    Attributes:
        wall: from the call to the return of `close()`.
        cpu: CPU time of the thread.
        aside: CPU time of other threads meanwhile; alone in the process, of those that the request works on.
        queued: time the thread was ready and had no CPU: other processes, or other threads.
        waits: time in known blocking calls, by kind.
        burst: the longest stretch of CPU between two waits.
        longest: the longest single wait that a coroutine could do.
        gap: the longest time between two chunks of the body.
        status: of the response; 0 if the app raised, or gave none that is a number.
        location: where it sent the client; mostly nowhere.
    """

    wall: float
    cpu: float
    aside: float
    queued: float
    waits: dict[str, float]
    burst: float
    longest: float
    gap: float
    status: int
    location: str

    @property
    def waited(self) -> float:
        """Time that was neither CPU nor run queue; alone in the process, that is waiting for something."""
        return max(self.wall - self.cpu - self.queued, 0.0)

    @property
    def unknown(self) -> float:
        """What is left of the waiting once the known calls are taken off."""
        return max(self.waited - sum(self.waits.values()), 0.0)


def measure(app: Any, request: Asked) -> Sample:
    """Send one request to a WSGI app and measure it; what the app raises is a status of 0."""
    environ = environ_from_scope(scope_of(request))
    environ["wsgi.input"] = io.BytesIO(request.body)
    environ["wsgi.errors"] = io.StringIO()
    tally.begin()
    started, cpu, all_cpu, queued = perf_counter(), thread_time(), process_time(), run_queue()
    status, location, gap = _call(app, environ)
    wall, used, ready = perf_counter() - started, thread_time() - cpu, run_queue() - queued
    aside = max(process_time() - all_cpu - used, 0.0)
    waits, burst = tally.end()
    return Sample(wall, used, aside, ready, waits, burst, tally.longest, gap, status, location)


def _call(app: Any, environ: Any) -> tuple[int, str, float]:
    """The status, the Location field, and the longest time between two chunks."""
    heads: list[tuple[str, Any]] = []

    def start_response(status: str, headers: Any, _exc_info: Any = None) -> Any:
        heads.append((status, headers))
        return lambda _chunk: None

    gap = 0.0
    try:
        with ExitStack() as ending:
            body = app(environ, start_response)
            ending.callback(close, body)
            last = started = perf_counter()
            for _chunk in body:
                now = perf_counter()
                gap, last = max(gap, now - last), now
                if now - started > _LONGEST:
                    break
        status, headers = heads[-1]
        location = next((value for name, value in headers if name.lower() == "location"), "")
        return int(status.partition(" ")[0]), location, gap
    except Exception:
        return 0, "", gap
