"""WSGI apps that checks put inside of an adapter: they note what they see, and behave as scripted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import Any

from ._check import AHEAD


class Body:
    """A response body that counts what happens to it; its iterator is another object, as PEP 3333 allows."""

    def __init__(self, pieces: Iterable[bytes] = (b"x",)) -> None:
        self.pieces = pieces
        self._running: list[Any] = []
        self.closed = 0
        self.pulled = 0
        self.threads: set[int] = set()
        self.begun, self.ahead, self.gone = threading.Event(), threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        self._running.append(self._iterate())
        return iter(self._running[-1])

    def _iterate(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.pulled += 1
            self.begun.set()
            if self.pulled == AHEAD:
                self.ahead.set()
            self.threads.add(threading.get_ident())
            yield piece

    def close(self) -> None:
        self.closed += 1
        for iterator in self._running:
            if not iterator.gi_running:
                iterator.close()
        self.threads.add(threading.get_ident())
        self.gone.set()


class Probe:
    """A WSGI app: notes its environ, reads if told to, answers with what it is given."""

    def __init__(
        self,
        body: Any = (b"x",),
        status: str = "200 OK",
        headers: Iterable[tuple[str, str]] = (),
        read: Callable[[Any], Any] | None = None,
    ) -> None:
        self.body, self.status, self.headers, self.read = body, status, list(headers), read
        self.environ: dict[str, Any] = {}
        self.got: Any = None
        self.error: BaseException | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.environ = dict(environ)
        if self.read is not None:
            try:
                self.got = self.read(environ["wsgi.input"])
            except BaseException as error:
                self.error = error
                raise
        start_response(self.status, self.headers)
        return self.body


def large_pieces() -> Iterator[bytes]:
    """Far more than any window."""
    yield from repeat(b"z" * 65536, 2000)
