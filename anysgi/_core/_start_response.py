"""The `start_response` protocol of PEP 3333 as a table, and a WSGI response's head as ASGI messages.

`start_response` only *proposes* a head.  The first non-empty chunk, or the end, commits it; until then the app may
replace it by calling again with `exc_info`, and afterwards that call re-raises the exception.

               start       start with exc_info   chunk        end
    IDLE       PROPOSED    PROPOSED              -            -
    PROPOSED   -           PROPOSED              COMMITTED    COMMITTED
    COMMITTED  -           raises exc_info       COMMITTED    COMMITTED
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import AppProtocolError, AppTypeError, AppValueError
from ._body_length import BODILESS, BodyLength
from ._headers import HOP_BY_HOP, response_header
from ._remembered import RememberedPairs, remember_pair

if TYPE_CHECKING:
    from ..types import ExcInfo, HeaderList, Message

IDLE, PROPOSED, COMMITTED = "IDLE", "PROPOSED", "COMMITTED"
START, START_EXC, CHUNK = "start", "start with exc_info", "chunk"

TRANSITIONS: dict[str, dict[str, str]] = {
    IDLE: {START: PROPOSED, START_EXC: PROPOSED},
    PROPOSED: {START_EXC: PROPOSED, CHUNK: COMMITTED},
    COMMITTED: {CHUNK: COMMITTED},
}

_MISTAKES = {
    (PROPOSED, START): "start_response() was called twice; to replace the head pass exc_info=sys.exc_info()",
    (COMMITTED, START): "start_response() was called again after the head was sent",
    (IDLE, CHUNK): (
        "the app never called start_response(); call start_response('200 OK', [('Content-Type', 'text/plain')]) "
        "before the first byte of body"
    ),
}


class ResponseHead:
    """One response's head, from `start_response` to `http.response.start`.

    Args:
        method: the request's method; a HEAD has no body.
    """

    __slots__ = ("_headers", "_method", "_state", "_status", "length")

    length: BodyLength

    def __init__(self, method: str) -> None:
        self._method = method
        self._state = IDLE
        self._status = 0
        self._headers: HeaderList = []

    @property
    def for_head(self) -> bool:
        """Whether the request is a HEAD."""
        return self._method == "HEAD"

    def propose(self, status: object, headers: object, exc_info: ExcInfo | None = None) -> None:
        """Check and store a head (PEP 3333, "The start_response() Callable").

        Raises:
            AppProtocolError: called out of turn.
            AppTypeError, AppValueError: a value that may not be sent.
            BaseException: the exception of `exc_info`, when the head is already out.
        """
        try:
            if exc_info and self._state is COMMITTED:
                raise exc_info[1].with_traceback(exc_info[2])
            following = self._following(START_EXC if exc_info else START)
            code, encoded = parse_status(status), encode_headers(headers)
            self.length = BodyLength(self._method, code, encoded)
            self._status, self._headers, self._state = code, encoded, following  # last: a refused head changes nothing
        finally:
            exc_info = None  # PEP 3333: avoid a circular reference through the traceback's frames

    def commit(self, *, whole: int | None = None) -> Message:
        """Fix the head, and return it as `http.response.start`.

        Args:
            whole: length of the body in bytes if all of it is at hand; becomes Content-Length unless the app gave one.
        """
        self._state = self._following(CHUNK)
        length = self.length
        if whole is not None and length.declared is None and self._status not in BODILESS:
            self._headers.append((b"content-length", b"%d" % whole))
            if not length.silent:
                length.left = whole
        return {"type": "http.response.start", "status": self._status, "headers": self._headers}

    def _following(self, event: str) -> str:
        following = TRANSITIONS[self._state].get(event)
        if following is None:
            raise AppProtocolError(_MISTAKES[self._state, event])
        return following


_statuses: dict[str, int] = {}


def parse_status(status: object) -> int:
    """Return the code of a WSGI status line; the reason may be missing (RFC 9112 section 4), the code may not.

    Raises:
        AppTypeError: not a `str`.
        AppValueError: not `200 OK`-like, or a code no response may have (below 200, above 599).
    """
    if type(status) is str and status in _statuses:
        return _statuses[status]
    if not isinstance(status, str):
        raise AppTypeError(f"status must be a str such as '200 OK', not {status!r}")
    code, _, reason = status.partition(" ")
    if not (len(code) == 3 and code.isascii() and code.isdigit() and 200 <= int(code) <= 599):
        raise AppValueError(f"status must begin with a code from 200 to 599, such as '200 OK', not {status!r}")
    if any(c in reason for c in "\r\n\0"):
        raise AppValueError(f"status holds a line break or NUL, which would split the response: {status!r}")
    if len(_statuses) < 256:
        _statuses[status] = int(code)
    return int(code)


def encode_headers(headers: object) -> HeaderList:
    """Check a WSGI header list and encode it for ASGI; hop-by-hop fields are the server's and are left out.

    Raises:
        AppTypeError, AppValueError: see `response_header`.
    """
    if not isinstance(headers, list):
        raise AppTypeError(f"headers must be a list of (name, value) tuples (PEP 3333), not {type(headers).__name__}")
    encoded: HeaderList = []
    for header in headers:
        try:
            pair = _pairs.get(header) or _encode(header)
        except TypeError:  # not hashable: a list of two, say
            pair = _encode(header)
        if pair[0] not in HOP_BY_HOP:
            encoded.append(pair)
    return encoded


_pairs: RememberedPairs = {}


def _encode(header: Any) -> tuple[bytes, bytes]:
    try:
        name, value = header
    except (TypeError, ValueError):
        raise AppTypeError(f"each header must be a (name, value) tuple, not {header!r}") from None
    pair = response_header(name, value)
    remember_pair(_pairs, (name, value), pair)
    return pair


def check_chunk(chunk: object) -> bytes:
    """Return `chunk` if it is bytes.

    Raises:
        AppTypeError: it is something else.
    """
    if isinstance(chunk, bytes):
        return chunk
    hint = "encode it: yield text.encode()" if isinstance(chunk, str) else "a WSGI body is made of bytes"
    raise AppTypeError(f"the app produced {type(chunk).__name__} {chunk!r:.60} as body; {hint}")


def check_iterable(result: object) -> None:
    """Raise `AppTypeError` for the usual wrong return values of a WSGI app."""
    if isinstance(result, (str, bytes)):
        raise AppTypeError(f"the app returned a {type(result).__name__}, which iterates byte by byte; return [body]")
    if hasattr(result, "__await__"):
        result.close() if hasattr(result, "close") else None  # a coroutine nobody awaits would warn
        raise AppTypeError(
            "the app returned an awaitable: it is an ASGI app; serve it as it is, or pass it to to_asgi()"
        )
    if not hasattr(result, "__iter__") and not hasattr(result, "__getitem__"):
        raise AppTypeError(
            f"the app returned {type(result).__name__}; a WSGI app returns an iterable of bytes: return [body]"
        )
