"""`wsgi.input` with the stages of a stack in between: one `readinto`, the rest is `io.BufferedReader`'s."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ..._core._scope import content_length
from ...exceptions import ClientDisconnected
from ._body import is_changed, pass_on

if TYPE_CHECKING:
    from ...types import Environ
    from ._body import Body

_PIECE = 65_536  # bytes asked of the server at once


def replace_input(environ: Environ, body: Body) -> None:
    """Put the stages between the server's input and the app."""
    length = content_length(environ)
    ends = bool(environ.get("wsgi.input_terminated"))
    left = length if length is not None or ends else 0
    staged = io.BufferedReader(StagedInput(environ["wsgi.input"], body, left))
    environ["wsgi.input"] = io.BytesIO(staged.read()) if body.collected else staged
    if body.collected:
        environ["CONTENT_LENGTH"] = str(environ["wsgi.input"].getbuffer().nbytes)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    elif is_changed(body):
        environ.pop("CONTENT_LENGTH", None)
        environ["wsgi.input_terminated"] = True


class StagedInput(io.RawIOBase):
    """The raw half of the app's `wsgi.input`.

    Args:
        source: the server's `wsgi.input`.
        body: the stages.
        left: bytes to read from the source at most, None to read to its end.
    """

    def __init__(self, source: Any, body: Body, left: int | None) -> None:
        self._source = source
        self._body = body
        self._left = left
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            self._ready = self._pull()
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def _pull(self) -> bytes:
        chunk: bytes = self._source.read(_PIECE if self._left is None else min(_PIECE, self._left))
        if self._left is not None:
            self._left -= len(chunk)
            if not chunk and self._left:
                raise ClientDisconnected(f"the client left {self._left} bytes before the end of its request")
        self._ended = not chunk or self._left == 0  # an app that knows the length reads no further
        return pass_on(self._body, chunk, last=self._ended)
