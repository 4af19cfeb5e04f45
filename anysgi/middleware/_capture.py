"""`capture`: bodies and heads as they passed, for logs, recordings and debugging; it changes and delays nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._engine._layer import Flow, middleware
from ._media_types import type_judge
from ._names import lowered

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ._engine._outcome import Outcome
    from ._engine._request import Request
    from ._engine._response import Response

SECRETS = frozenset(["authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-csrf-token"])
"""Header names whose values stay out of a recording unless you say otherwise."""
REDACTED = "[redacted]"
_CHARSETS = frozenset(["us-ascii", "iso-8859-1", "windows-1252", "utf-16", "shift_jis", "gb18030", "euc-kr"])


@dataclass(frozen=True, slots=True)
class Part:
    """One direction of an exchange.

    Attributes:
        headers: (name, value) pairs in order, secrets redacted.
        body: the bytes that passed, up to the limit.
        size: how many passed, however many were kept.
        pieces: in how many pieces.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    size: int
    pieces: int

    @property
    def truncated(self) -> bool:
        """Whether more passed than was kept."""
        return self.size > len(self.body)

    @property
    def text(self) -> str:
        """The body as text, UTF-8 unless its Content-Type names a charset of the web; what is none is replaced."""
        from werkzeug.http import parse_options_header

        charset = parse_options_header(dict(self.headers).get("content-type"))[1].get("charset", "").lower()
        return self.body.decode(charset if charset in _CHARSETS else "utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Captured:
    """One exchange, complete or not: see `outcome`.

    Attributes:
        method, path, query: of the request, `query` still percent-encoded.
        raw_path: the path as the client wrote it.
        status: of the response.
        request, response: what passed in each direction.
        outcome: how it ended.
    """

    method: str
    path: str
    raw_path: str
    query: str
    status: int
    request: Part
    response: Part
    outcome: Outcome


@middleware
def capture(
    *,
    to: Callable[[Captured], object],
    max_size: int = 65_536,
    types: Collection[str] = ("*",),
    redact: Collection[str] = SECRETS,
) -> Callable[[Request], Flow]:
    """Hand every exchange to a function, once it is over; one that ended before a response head is not handed over.

    Args:
        to: called with a `Captured` after the last byte, in the thread or task of the request: it should be quick.
        max_size: bytes kept of each body; the rest is counted only.
        types: media types of which bodies are kept, such as `"application/json"` and `"text/*"`; others are counted.
        redact: names of the headers whose values are left out.
    """
    is_kept = type_judge(types)
    secret = lowered(redact)

    def flow(request: Request) -> Flow:
        asked = (request.method, request.path, request.raw_path, request.query)
        sent = _fields(request, secret)
        taken = _Kept(max_size if is_kept(request.headers.get("content-type", "")) else 0)
        request.body.observe(taken)
        response: Response = yield request
        given = _Kept(max_size if is_kept(response.headers.get("content-type", "")) else 0)
        response.body.observe(given)
        received, status = _fields(response, secret), response.status  # by now: outer layers change the same head
        outcome: Outcome = yield response
        to(Captured(*asked, status, taken.part(sent), given.part(received), outcome))

    return flow


def _fields(head: Request | Response, redact: Collection[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, REDACTED if name in redact else value) for name, value in head.headers)


class _Kept:
    """The beginning of a body."""

    __slots__ = ("_kept", "_pieces", "_room", "_size")

    def __init__(self, room: int) -> None:
        self._kept: list[bytes] = []
        self._room = room
        self._size = self._pieces = 0

    def __call__(self, data: bytes) -> None:
        self._size += len(data)
        self._pieces += 1
        if self._room:
            piece = data[: self._room]
            self._kept.append(piece)
            self._room -= len(piece)

    def part(self, headers: tuple[tuple[str, str], ...]) -> Part:
        return Part(headers, b"".join(self._kept), self._size, self._pieces)
