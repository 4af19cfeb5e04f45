"""Recording traffic without touching it: a `capture` that hands exchanges to a thread, which writes them.

A request never waits for the disk.  The queue in between is bounded: where the disk is too slow, exchanges are dropped
and counted, and the log says how many.
"""

from __future__ import annotations

import atexit
import errno
import logging
import os
import random
import threading
import time
from pathlib import Path
from queue import Full, Queue
from typing import IO, TYPE_CHECKING

from anysgi.middleware import capture

from ...middleware._capture import SECRETS
from ._exchanges import Answered, Asked, Recorded
from ._recordings import write_line
from ._secrets import WORDS, Secrets

if TYPE_CHECKING:
    from collections.abc import Collection

    from anysgi.middleware import Captured, Stack

log = logging.getLogger("anysgi.migration")

_PATIENCE = 5.0  # seconds the end of the process waits for the disk


def record(
    path: str | Path,
    *,
    sample: float = 1.0,
    redact_headers: Collection[str] = SECRETS,
    redact_keys: Collection[str] = WORDS,
    max_body: int = 65_536,
    max_file: int = 1_073_741_824,
    queue_limit: int = 1_000,
) -> Stack:
    """Make a middleware, for both conventions, that records traffic for `anysgi compare` and `anysgi replay`.

    Put it inside of what decodes (`decompress`) and of what encodes (`compress`), or recorded bodies are compressed,
    and nobody looks for secrets in them.  Several processes may write to one file.

    Args:
        path: the recording, JSON, one exchange a line; appended to.
        sample: the share of requests to record, 0 to 1.
        redact_headers: names of headers whose values are left out.
        redact_keys: words; the values of headers, and of keys in queries, forms, JSON and the URLs of other headers,
            are left out where the name has one of them in it: `token` is in `accessToken` and in `csrf-token`.
        max_body: bytes of a body that are kept; a request with a larger one is not recorded, as it could not be sent
            again, and of a larger response the recording holds only the request.
        max_file: bytes at which recording stops.
        queue_limit: exchanges that may wait for the disk; those beyond are dropped and counted.

    Raises:
        ValueError: `sample` is not between 0 and 1.
        OSError: the file cannot be written.
    """
    if not 0 <= sample <= 1:
        raise ValueError(f"record(sample={sample}): write a share between 0 and 1")
    writer = Writer(Path(path), max_file, queue_limit)
    secrets = Secrets(redact_keys)

    def keep(exchange: Captured) -> None:
        recorded = _recorded(exchange, secrets)
        if recorded is not None:
            writer.put(recorded)

    if sample == 1:
        return capture(to=keep, max_size=max_body, redact=redact_headers)
    return capture(to=keep, max_size=max_body, redact=redact_headers, skip=lambda _request: random.random() >= sample)


def _recorded(exchange: Captured, secrets: Secrets) -> Recorded | None:
    request, response = exchange.request, exchange.response
    if request.truncated:
        return None
    query = secrets.query(exchange.query)
    target = exchange.raw_path + (f"?{query}" if query else "")
    body = secrets.body(request.body, request.headers)
    asked = Asked(exchange.method, target, secrets.headers(request.headers), body)
    answered = None
    if not response.truncated and exchange.outcome.kind == "complete":
        body = secrets.body(response.body, response.headers)
        headers = secrets.headers(response.headers)
        answered = Answered(exchange.status, headers, body, response.pieces, exchange.outcome.duration)
    return Recorded(asked, answered, time.time() - exchange.outcome.duration)


def _private(path: str, flags: int) -> int:
    """Open a file that nobody else may read, if it is new: what people sent is in it."""
    return os.open(path, flags, 0o600)


def _write_whole(file: IO[bytes], line: bytes) -> None:
    """Write a line or nothing: what a disk took before it was full is taken back.

    Raises:
        OSError: it cannot be written.
    """
    taken = file.write(line)
    if taken < len(line):
        end = file.tell()
        if end == os.fstat(file.fileno()).st_size:  # else another process has written behind it
            file.truncate(end - taken)
        raise OSError(errno.ENOSPC, f"{taken} of {len(line)} bytes of a line could be written")


class Writer:
    """A file that a thread of its own appends to.

    Args:
        path: the file.
        max_file: bytes at which it stops.
        queue_limit: lines that may wait.

    Attributes:
        dropped: exchanges that found the queue full, the file at its limit, or the disk without room.
    """

    def __init__(self, path: Path, max_file: int, queue_limit: int) -> None:
        self._path = path
        self._max_file = max_file
        self._queue: Queue[Recorded | None] = Queue(queue_limit)
        self._pid = 0  # the process whose thread writes
        self._starting = threading.Lock()
        self._failed = False  # the last write
        self.dropped = 0
        with open(path, "ab", opener=_private):  # what cannot be written is an error now, not in a request
            pass

    def put(self, recorded: Recorded) -> None:
        """Hand an exchange to the thread; never waits."""
        if self._pid != os.getpid():
            self._start()
        try:
            self._queue.put_nowait(recorded)
        except Full:
            self.dropped += 1

    def _start(self) -> None:
        """Start the thread, in each process that records: threads do not survive a fork."""
        with self._starting:
            if self._pid == os.getpid():
                return
            self._queue = Queue(self._queue.maxsize)
            self._thread = threading.Thread(target=self._write, name="anysgi-record", daemon=True)
            self._thread.start()
            self._pid = os.getpid()
            atexit.register(self.close)

    def _write(self) -> None:
        with self._path.open("ab", buffering=0) as file:  # one write a line, so that processes do not mix theirs
            while (recorded := self._queue.get()) is not None:
                if file.tell() >= self._max_file or not self._is_written(file, write_line(recorded)):
                    self.dropped += 1

    def _is_written(self, file: IO[bytes], line: bytes) -> bool:
        """Write a line; where that fails the next one is tried all the same, as the disk may have room by then."""
        try:
            _write_whole(file, line)
        except OSError as error:
            if not self._failed:
                log.error("%s cannot be written, and what passes meanwhile is not recorded: %s", self._path, error)
            self._failed = True
            return False
        self._failed = False
        return True

    def close(self) -> None:
        """Write what waits, and end the thread."""
        if self._pid != os.getpid():
            return
        try:
            self._queue.put(None, timeout=_PATIENCE)
        except Full:  # the disk hangs: the thread is a daemon, and left to it
            pass
        else:
            self._thread.join(_PATIENCE)
        self._pid = 0
        atexit.unregister(self.close)
        if self.dropped:
            log.warning("%d exchanges were not recorded in %s: the disk or its limit", self.dropped, self._path)
