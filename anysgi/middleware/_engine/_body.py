"""`Body`: what layers do to the bytes of a request or a response, as a row of stages that a driver feeds.

Bodies never pass through a layer's generator, because an app receives and sends at the same time.  A layer registers a
stage instead.  Response bytes pass the stages of the innermost layer first, request bytes those of the outermost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Trailer = tuple[str, Callable[[], str]]


class Transform(Protocol):
    """Changes bytes on their way; the shape of `zlib.compressobj`.

    For every chunk but the last: `feed(chunk)`, then `flush()`.  For the last: `feed(chunk)`, then `finish()`.  A body
    that is at hand in one piece is never flushed.  After an error or an abort nothing more is called.
    """

    def feed(self, data: bytes, /) -> bytes:
        """Take some bytes, never empty; return what of the result is ready."""

    def flush(self) -> bytes:
        """Return what must leave before the next chunk comes; `b""` to go on collecting."""

    def finish(self) -> bytes:
        """Return the end of the result."""


class Body:
    """The bytes of one request or response; `request.body`, `response.body`.

    Attributes:
        is_file: the server sends a file by itself (`wsgi.file_wrapper`, `http.response.pathsend`); under ASGI known to
            stacks with a `peek=True` layer only.
        received: bytes counted so far; None unless `measure()` was called.
        collected: `collect()` was called.
        trailers: names of fields that follow it, and what makes their values.
    """

    __slots__ = ("_changes", "_chunks", "_stages", "collected", "is_file", "received", "trailers")

    def __init__(self, chunks: Sequence[bytes] | None = None, *, is_file: bool = False) -> None:
        self._chunks = chunks
        self.is_file = is_file
        self.received: int | None = None
        self.collected = False
        self._stages: list[Transform] = []
        self._changes = False
        self.trailers: tuple[Trailer, ...] = ()

    @property
    def whole(self) -> bytes | None:
        """The complete body, as inner layers have changed it, where it is at hand before the head leaves, else None.

        It is for a response that a layer made, and a list that a WSGI app returned.  If a layer of the stack is
        declared with `peek=True`, it is also for the one message of an ASGI app, and for the one piece of a WSGI app's
        iterator that is as long as its Content-Length says.
        """
        if self._chunks is None:
            return None
        whole = b"".join(self._chunks)
        if self._changes and self._stages:
            whole = pass_on(self, whole, last=True)
            self._chunks, self._stages = (whole,), []
        return whole

    def transform(self, transform: Transform, *, same: bool = False) -> None:
        """Pass the bytes through `transform`; the driver takes care of Content-Length, HEAD, 204 and 304.

        Args:
            transform: an object with `feed(bytes) -> bytes`, `flush()` and `finish()`; see `Transform`.
            same: it returns every byte as it came, and only looks, or refuses: then Content-Length stays.
        """
        self._stages.append(transform)
        self._changes = self._changes or not same

    def observe(self, observer: Callable[[bytes], object]) -> None:
        """Call `observer` with every non-empty piece of bytes, after the stages registered before."""
        self._stages.append(_Observer(observer))

    def collect(self) -> None:
        """Under WSGI, read a request's body before the app is called, and tell the app its length after all changes.

        For frameworks that take a body without Content-Length for none.  Under ASGI a body always has an end.
        """
        self.collected = True

    def trailer(self, name: str, make: Callable[[], str]) -> None:
        """Send a field after a response's body, where `request.takes_trailers`; elsewhere nothing happens.

        Args:
            name: of a field that may stand there (RFC 9110 section 6.5.1), such as Server-Timing.
            make: gives its value; called once the last byte has left.
        """
        self.trailers = (*self.trailers, (name, make))

    def copy(self) -> Body:
        """A row of its own with the same stages."""
        copy = Body(self._chunks, is_file=self.is_file)
        copy._stages, copy._changes, copy.trailers = self._stages.copy(), self._changes, self.trailers
        return copy

    def measure(self) -> None:
        """Count the bytes, for `outcome.bytes_received`."""
        self.received = self.received or 0


class _Observer:
    """A stage that changes nothing."""

    __slots__ = ("_observer",)

    def __init__(self, observer: Callable[[bytes], object]) -> None:
        self._observer = observer

    def feed(self, data: bytes, /) -> bytes:
        self._observer(data)
        return data

    def flush(self) -> bytes:
        return b""

    finish = flush


def at_hand(body: Body) -> list[bytes]:
    """What is at hand of a body, as it came."""
    return list(body._chunks or ())


def is_used(body: Body | None) -> bool:
    """Whether any layer wants to see the bytes."""
    return body is not None and (bool(body._stages) or body.received is not None)


def is_changed(body: Body | None) -> bool:
    """Whether any layer changes the bytes, so that their number is no longer known."""
    return body is not None and body._changes


def pass_on(body: Body, chunk: bytes, *, last: bool) -> bytes:
    """Send one chunk through all stages."""
    if body.received is not None:
        body.received += len(chunk)
    for stage in body._stages:
        fed = stage.feed(chunk) if chunk else b""
        chunk = fed + (stage.finish() if last else stage.flush())
    return chunk
