"""Looking on while a WSGI request is served: its body as the app reads it, its response as the server takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from .._core._closing import close
from .._core._headers import latin1

if TYPE_CHECKING:
    from ..types import Environ, ExcInfo, StartResponse, Write, WSGIApp
    from ._shadow import Guarded


class WatchedInput:
    """`wsgi.input`, with somebody who sees each piece that is read.

    Args:
        source: the server's `wsgi.input`.
        see: called with every piece that is not empty.
    """

    __slots__ = ("_see", "_source")

    def __init__(self, source: Any, see: Callable[[bytes], object]) -> None:
        self._source = source
        self._see = see

    def detach(self) -> None:
        """Be empty from now on."""
        self._source = BytesIO()

    def read(self, *size: int) -> bytes:
        return self._seen(self._source.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._seen(self._source.readline, *size)

    def readlines(self, *hint: int) -> list[bytes]:
        lines: list[bytes] = self._source.readlines(*hint)
        self._seen(lambda: b"".join(lines))
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def __getattr__(self, name: str) -> Any:
        """What only some servers' inputs have."""
        found = getattr(self._source, name)
        if name == "read1":
            return partial(self._seen, found)
        return partial(self._read_into, found) if name == "readinto" else found

    def _seen(self, read: Callable[..., bytes], *args: int) -> bytes:
        data = read(*args)
        if data:
            self._see(data)
        return data

    def _read_into(self, read: Callable[[Any], int], buffer: Any) -> int:
        size = read(buffer)
        if size:
            self._see(bytes(memoryview(buffer)[:size]))
        return size


class Observed:
    """One exchange that an observer is shown.

    Args:
        observer: the shadow's.
        environ: the request.
    """

    def __init__(self, observer: Guarded, environ: Environ) -> None:
        self._observer = observer
        observer.whole = environ["REQUEST_METHOD"] == "HEAD"  # whose body nobody iterates
        self._environ = {**environ, "wsgi.input": WatchedInput(environ["wsgi.input"], observer.request_body)}
        self._chunks: Iterator[bytes] = iter(())
        self._result: object = None

    def run(self, app: WSGIApp, start_response: StartResponse) -> Iterable[bytes]:
        """Call the app; the observer is told of the end when the server closes what this returns."""

        def start_seen(status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Write:
            given = (status, headers, exc_info) if exc_info else (status, headers)
            write = start_response(*given)
            self._see_head(status, headers)
            return partial(self._write, write)

        try:
            self._result = result = app(self._environ, start_seen)
            self._chunks = iter(result)
        except BaseException as error:
            self._observer.end(error)
            raise
        return self

    def _see_head(self, status: str, headers: list[tuple[str, str]]) -> None:
        """Show the head; one that is malformed ends the observation, as whether to serve it is up to the server."""
        try:
            code, pairs = int(status[:3]), [(latin1(n).lower(), latin1(v)) for n, v in headers]
        except Exception as error:
            self._observer.end(error)
        else:
            self._observer.response_head(code, pairs)

    def _write(self, write: Write, data: bytes) -> None:
        self._observer.response_body(data)
        write(data)

    def __iter__(self) -> Observed:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._observer.whole = True
            raise
        except BaseException as error:
            self._observer.end(error)
            raise
        self._observer.response_body(chunk)
        return chunk

    def close(self) -> None:
        try:
            close(self._result)
        finally:
            self._observer.end(None)
