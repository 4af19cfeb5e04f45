"""The request body of a WSGI environ, piece by piece, and never a byte past its end.

Source: PEP 3333, "Input and Error Streams".

length known        CONTENT_LENGTH bytes; fewer means that the client left
length unknown      up to the end, where the server says that there is one (`wsgi.input_terminated`)
chunked, no end     uWSGI has a function for that; elsewhere 411, as an empty body would look like a whole one
neither             no body (RFC 3875 section 4.1.2): reading on could wait for ever
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .._core._scope import content_length
from ..exceptions import BadRequest, ClientDisconnected

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import Environ

_FIRST_PIECE = 65_536  # bytes


class EnvironBody:
    """Reads `environ["wsgi.input"]`, on the server's thread.

    Args:
        environ: the request.
        limit: bytes after which the body is refused with 413; None for no limit.
        window: bytes the largest piece may have: pieces grow while the client keeps up, as each costs a hop.

    Attributes:
        empty: there is nothing to read.

    Raises:
        BadRequest: CONTENT_LENGTH is no number (400), larger than `limit` (413), or needed and absent (411).
    """

    __slots__ = ("_left", "_limit", "_read", "_size", "_window", "empty")

    def __init__(self, environ: Environ, limit: int | None, window: int) -> None:
        self._left = content_length(environ)
        if limit is not None and self._left is not None and self._left > limit:
            raise BadRequest(f"the body is larger than {limit} bytes", 413)
        chunked = self._left is None and "HTTP_TRANSFER_ENCODING" in environ
        terminated = bool(environ.get("wsgi.input_terminated"))
        self.empty = self._left == 0 or (self._left is None and not terminated and not chunked)
        self._limit = limit
        self._window = window
        self._size = min(_FIRST_PIECE, window)
        if chunked and not terminated:
            self._read = _read_chunks(environ)
        elif not self.empty:
            source = environ["wsgi.input"]
            self._read = getattr(source, "read1", source.read)  # read1 does not wait for a piece to be full

    def read(self) -> tuple[bytes, bool]:
        """Return the next piece, and whether more will come; waits for the client.

        Raises:
            ClientDisconnected: the body ended before CONTENT_LENGTH, or the server failed to read on.
            BadRequest: a body of unknown length grew past `limit`.
        """
        left = self._left
        size = self._size if left is None else min(self._size, left)
        try:
            piece: bytes = self._read(size)
        except Exception as error:
            raise ClientDisconnected(f"reading the request body failed: {error!r}") from error
        if len(piece) == self._size < self._window:
            self._size = min(2 * self._size, self._window)
        if left is None:
            return self._count_unknown(piece)
        self._left = left = left - len(piece)
        if not piece:
            raise ClientDisconnected(f"the request body ended {left} bytes before its Content-Length")
        return piece, left > 0

    def _count_unknown(self, piece: bytes) -> tuple[bytes, bool]:
        if self._limit is not None:
            if len(piece) > self._limit:
                raise BadRequest("the body is larger than allowed", 413)
            self._limit -= len(piece)
        return piece, bool(piece)


def _read_chunks(environ: Environ) -> Callable[[int], bytes]:
    """Return what reads the next chunk where `wsgi.input` does not know its end."""
    if "uwsgi.version" not in environ:
        raise BadRequest("the server does not say where a chunked body ends (wsgi.input_terminated)", 411)
    read_chunk: Callable[[], bytes] = import_module("uwsgi").chunked_read  # a module that uWSGI makes
    return lambda size: read_chunk()
