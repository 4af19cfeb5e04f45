"""`WSGITransport`: a WSGI app behind a sync client of httpx2 or httpx."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from ...exceptions import AppProtocolError
from .._bounded import OutOfTime, Worker
from .._requests import environ_of, habits_of
from .._scenario import Scenario
from .._within import Here
from ._library import head_of, library_of, read_timeout, sync_stream, timed_out

if TYPE_CHECKING:
    import httpx2

    from ...types import WSGIApp

    class _Transport(httpx2.BaseTransport): ...
else:
    _Transport = object  # neither library is needed until a client of it comes with a request


T = TypeVar("T")


class WSGITransport(_Transport):
    """Send a client's requests straight to a WSGI app; both bodies stream.

        with httpx2.Client(transport=WSGITransport(app), base_url="http://testserver") as client:
            with client.stream("GET", "/export.csv") as response:
                for chunk in response.iter_raw(): ...

    The app runs on a helper thread, in a copy of the caller's context, and the client's read timeout holds for the
    head, for each chunk and for `close()`.

    Args:
        app: the WSGI app.
        raise_app_exceptions: raise what the app raises; otherwise it becomes a 500.
        root_path: where the app is mounted.
        client: (address, port) of the client, or None.
        like: a server whose environ to imitate, see `presets`.
        inline: run on the calling thread, for apps with thread-local fixtures such as Django's connections; the
            timeout holds there as far as the bound of `arun` does.
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        raise_app_exceptions: bool = True,
        root_path: str = "",
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
        like: str | None = None,
        inline: bool = False,
    ) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self._where = (root_path, client)
        self._habits = habits_of(Scenario(like=like), "wsgi")
        self._inline = inline

    def __enter__(self) -> WSGITransport:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is kept open."""

    def handle_request(self, request: Any) -> Any:
        """Answer one request of a client."""
        body = io.BufferedReader(_Upload(iter(request.stream)))
        environ = environ_of(head_of(request, *self._where), self._habits, body, sys.stderr)
        call = _WsgiCall()
        place = (_Here if self._inline else _Elsewhere)(request, call)
        library = sys.modules[library_of(request)]
        try:
            place.run(lambda: call.begin(self.app, environ))
        except Exception:
            _end(place, call)
            if self.raise_app_exceptions or place.late:
                raise
            return library.Response(500, request=request)
        chunks = call.chunks() if request.method != "HEAD" else _silent(call.chunks())
        pulled = iter(lambda: place.run(lambda: next(chunks, None)), None)
        stream = sync_stream(library_of(request))(pulled, lambda: _end(place, call))
        return library.Response(call.status, headers=call.headers, stream=stream, request=request)


def _silent(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What servers do with the body of an answer to HEAD (RFC 9110 section 9.3.2)."""
    return (chunk for chunk in chunks if not chunk)


class _Here:
    """The calling thread.

    Attributes:
        late: a job was not done in time, and the app was thrown out.
    """

    late = False

    def __init__(self, request: Any, call: _WsgiCall) -> None:
        self._request, self._call, self._app = request, call, Here(call.so_far)

    def run(self, job: Callable[[], T]) -> T:
        found: list[T] = []
        limit = read_timeout(self._request)
        try:
            self._app.run(lambda: found.append(job()), limit)
        except TimeoutError:
            if not self._app.blocked:
                raise
            self.late = True
            told = f"{self._call.so_far()}It stood at\n{self._app.blocked}"
            raise timed_out(self._request, limit, told) from None
        return found[0]

    def release(self) -> None:
        """Nothing was taken."""


class _Elsewhere:
    """A helper thread, whose every job has to be done within the client's read timeout.

    Attributes:
        late: one was not, so that the thread is given up.
    """

    late = False

    def __init__(self, request: Any, call: _WsgiCall) -> None:
        self._request, self._call, self._worker = request, call, Worker()

    def run(self, job: Callable[[], T]) -> T:
        found: list[T] = []
        limit = read_timeout(self._request)
        try:
            self._worker.run(lambda: found.append(job()), limit)
        except OutOfTime as late:
            self.late = True
            raise timed_out(self._request, limit, f"{self._call.so_far()}It stood at\n{late.stack}") from None
        return found[0]

    def release(self) -> None:
        self._worker.release()


def _end(place: _Here | _Elsewhere, call: _WsgiCall) -> None:
    try:
        if not place.late:
            place.run(call.close)
    finally:
        place.release()


class _WsgiCall:
    """One call of the app: the head is known once the first chunk is (PEP 3333, "The start_response() Callable")."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._ready: list[bytes] = []
        self._iterable: Any = ()
        self._iterator: Iterator[bytes] = iter(())
        self._sent = False
        self._count = 0

    def so_far(self) -> str:
        """What the app said, for people."""
        head = f"start_response: {self.status} {self.headers}\n" if self.status else ""
        return f"Messages so far:\n{head}{self._count} chunks\n"

    def begin(self, app: Any, environ: dict[str, Any]) -> None:
        self._iterable = app(environ, self._start_response)
        self._iterator = iter(self._iterable)
        while not self._ready:
            chunk = next(self._iterator, None)
            if chunk is None:
                break
            self._ready += [chunk] if chunk else []
            self._count += 1
        if not self.status:
            raise AppProtocolError("the app never called start_response(); it comes before the first byte of body")
        self._sent = True

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info and (self._sent or self._ready):
            raise exc_info[1].with_traceback(exc_info[2])
        if self.status and not exc_info:
            raise AppProtocolError("start_response() was called again; to replace the head pass exc_info")
        self.status = int(status.partition(" ")[0])
        self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return self._ready.append

    def chunks(self) -> Iterator[bytes]:
        yield from self._written()
        for chunk in self._iterator:
            self._count += 1
            yield from self._written()
            if chunk:
                yield chunk

    def _written(self) -> list[bytes]:
        ready, self._ready[:] = list(self._ready), []
        return ready

    def close(self) -> None:
        getattr(self._iterable, "close", int)()


class _Upload(io.RawIOBase):
    """The client's request body, made while the app reads it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        piece, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)
