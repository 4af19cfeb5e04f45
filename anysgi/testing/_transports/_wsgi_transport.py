"""`WSGITransport`: a WSGI app behind a sync client of httpx2 or httpx."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...exceptions import AppProtocolError
from .._requests import environ_of, habits_of
from .._scenario import Scenario
from ._library import head_of, library_of, sync_stream

if TYPE_CHECKING:
    import httpx2

    from ...types import WSGIApp

    class _Transport(httpx2.BaseTransport): ...
else:
    _Transport = object  # neither library is needed until a client of it comes with a request


class WSGITransport(_Transport):
    """Send a client's requests straight to a WSGI app, on the calling thread; both bodies stream.

        with httpx2.Client(transport=WSGITransport(app), base_url="http://testserver") as client:
            with client.stream("GET", "/export.csv") as response:
                for chunk in response.iter_raw(): ...

    Args:
        app: the WSGI app.
        raise_app_exceptions: raise what the app raises; otherwise it becomes a 500.
        root_path: where the app is mounted.
        client: (address, port) of the client, or None.
        like: a server whose environ to imitate, see `presets`.
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        raise_app_exceptions: bool = True,
        root_path: str = "",
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
        like: str | None = None,
    ) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self._where = (root_path, client)
        self._habits = habits_of(Scenario(like=like), "wsgi")

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
        library = sys.modules[library_of(request)]
        try:
            call.begin(self.app, environ)
        except Exception:
            call.close()
            if self.raise_app_exceptions:
                raise
            return library.Response(500, request=request)
        stream = sync_stream(library_of(request))(call.chunks(), call.close)
        return library.Response(call.status, headers=call.headers, stream=stream, request=request)


class _WsgiCall:
    """One call of the app: the head is known once the first chunk is (PEP 3333, "The start_response() Callable")."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._ready: list[bytes] = []
        self._iterable: Any = ()
        self._iterator: Iterator[bytes] = iter(())
        self._sent = False

    def begin(self, app: Any, environ: dict[str, Any]) -> None:
        self._iterable = app(environ, self._start_response)
        self._iterator = iter(self._iterable)
        while not self._ready:
            chunk = next(self._iterator, None)
            if chunk is None:
                break
            self._ready += [chunk] if chunk else []
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
