"""The order of an ASGI app's response messages as a table, and their contents as a WSGI head and body.

Source: ASGI spec, "HTTP" (Response Start, Response Body) and "Error Handling": a wrong message raises in the app's
`send()`; messages after the final body are ignored.

            start     early_hint   body, more   body, final   pathsend   trailers
    IDLE    STARTED   IDLE         -            -             -          -
    STARTED -         -            SENDING      DONE          DONE       -
    SENDING -         -            SENDING      DONE          -          -
    STREAM  -         -            STREAM       DONE          -          -
    WHOLE   -         -            WHOLE        DONE          -          -
    DONE    -         -            (ignored)    (ignored)     -          (ignored)

SENDING becomes STREAM where there is no Content-Length, so nothing to count, and WHOLE once the body has as many bytes:
the server may end the response there, and does not wait for the app to say so.  `early_hint` and `pathsend` are
extensions: mistakes unless the scope offered them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import AppProtocolError, AppTypeError, AppValueError
from ._body_length import BodyLength
from ._headers import HOP_BY_HOP, check_name
from ._lost_files import LOST, PATHSEND, LostFile
from ._remembered import RememberedPairs, remember_pair
from ._status_line import status_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ..types import HeaderList

IDLE, STARTED, SENDING, STREAM, WHOLE, DONE = "IDLE", "STARTED", "SENDING", "STREAM", "WHOLE", "DONE"
FLOWING = (STREAM, SENDING)  # the body has begun, and more of it will come
START, MORE, FINAL, TRAILERS = (
    "http.response.start",
    "http.response.body",
    "final http.response.body",
    "http.response.trailers",
)
EARLY_HINT = "http.response.early_hint"
ZEROCOPYSEND = "http.response.zerocopysend"

TRANSITIONS: dict[str, dict[str, str]] = {
    IDLE: {START: STARTED, EARLY_HINT: IDLE},
    STARTED: {MORE: SENDING, FINAL: DONE, PATHSEND: DONE},
    SENDING: {MORE: SENDING, FINAL: DONE},
    STREAM: {MORE: STREAM, FINAL: DONE},
    WHOLE: {MORE: WHOLE, FINAL: DONE},
    DONE: {MORE: DONE, FINAL: DONE, TRAILERS: DONE},
}

_MISTAKES = {
    IDLE: "before 'http.response.start'; send {'type': 'http.response.start', 'status': 200, 'headers': []} first",
    STARTED: "after 'http.response.start'; expected 'http.response.body'",
    SENDING: "while the body is being sent; expected 'http.response.body'",
    STREAM: "while the body is being sent; expected 'http.response.body'",
    WHOLE: "while the body is being sent; expected 'http.response.body'",
    DONE: "after the response was complete; an app responds once",
}


class _Switched(int):
    """A status only an adapter can give: 101 says that the connection is no longer the server's."""


SWITCHED = _Switched(101)


class ResponseMessages:
    """One ASGI app's response, message by message.

    Args:
        method: the request's method; a HEAD has no body.
        offered: the extensions in the scope.

    Attributes:
        status: `"200 OK"`, once started.
        headers: native-string pairs for `start_response`, once started.
        hints: links for `103 Early Hints` that were not sent yet.
        path: the file that is the body, if the app named one.
        state: where in the table it is.
    """

    __slots__ = ("_length", "_method", "_offered", "headers", "hints", "path", "state", "status")

    _length: BodyLength

    def __init__(self, method: str, offered: Collection[str] = ()) -> None:
        self._method = method
        self._offered = offered
        self.hints: tuple[str, ...] = ()
        self.path = ""
        self.state = IDLE
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    @property
    def started(self) -> bool:
        return self.state is not IDLE

    @property
    def done(self) -> bool:
        return self.state is DONE or self.state is WHOLE

    @property
    def unfinished(self) -> AppProtocolError:
        """What is wrong with an app that returns now, unless it is done."""
        said = "before its response was complete; send a last http.response.body without more_body"
        if self.state is IDLE:
            said = "without a response; send http.response.start and http.response.body first"
        if PATHSEND in self._offered and self.state in (IDLE, STARTED):
            return LostFile(f"the app returned {said}{LOST}")
        return AppProtocolError(f"the app returned {said}")

    @property
    def silent(self) -> bool:
        """Whether no body may be sent, whatever the app sends."""
        return self._length.silent

    @property
    def declared(self) -> int | None:
        """The Content-Length in bytes."""
        return self._length.declared

    def accept(self, message: Mapping[str, Any]) -> bytes:
        """Check one message, and return the body bytes to send on: empty for a start, and after the end.

        Raises:
            AppProtocolError: out of order, of an unknown type, or more body than its Content-Length.
            AppTypeError, AppValueError: a value that may not be sent.
        """
        kind = message.get("type", "a message without a type")
        event = FINAL if kind == MORE and not message.get("more_body", False) else kind
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise AppProtocolError(f"the app sent {event!r} {_MISTAKES[self.state]}")
        body = b""
        if self.state is DONE:
            return body
        if kind == MORE:
            body = _as_bytes(message.get("body", b""))
            if self._length.left is not None:
                body = self._count(body, last=following is DONE)
                if following is SENDING and not (self._length.left or self._length.silent):
                    following = WHOLE
            elif following is SENDING:
                following = STREAM
        elif kind == START:
            self._start(message)
        else:
            self._extended(kind, message)
        self.state = following  # last: a refused message changes nothing
        return body

    def counted(self, body: bytes) -> bool:
        """While SENDING, count a piece that leaves room for more; False is for `accept` to judge."""
        length = self._length
        left = (length.left or 0) - len(body)
        if left > 0:
            length.left = left
        return left > 0

    def _start(self, message: Mapping[str, Any]) -> None:
        status = message.get("status")
        if not isinstance(status, int) or not (200 <= status <= 599 or status is SWITCHED):
            raise AppValueError(f"'status' must be an int from 200 to 599, not {status!r}")
        headers = check_headers(message.get("headers", ()))
        self._length = BodyLength(self._method, status, headers)
        self.status = status_line(status)
        self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]

    def _extended(self, kind: str, message: Mapping[str, Any]) -> None:
        if kind not in self._offered:
            raise AppProtocolError(f"the app sent {kind!r}, which this server does not offer in scope['extensions']")
        if kind == PATHSEND:
            path = message.get("path")
            if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
                raise AppValueError(f"'path' must be an absolute path, not {path!r}")
            self.path = path
        else:
            self.hints += tuple(str(value, "latin-1") for value in check_links(message.get("links", ())))

    def _count(self, body: bytes, *, last: bool) -> bytes:
        length = self._length
        left = length.left or 0
        if len(body) > left and not length.silent:
            raise AppProtocolError(f"the app sent more body than its Content-Length: {length.declared}")
        clipped = length.clip(body)
        if last:
            try:
                length.finish()
            except AppProtocolError:
                length.left = left
                raise
        return clipped


def _as_bytes(body: object) -> bytes:
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    raise AppTypeError(f"'body' must be bytes, not {type(body).__name__}; encode it: text.encode()")


def check_links(links: Any) -> list[bytes]:
    """Check the values of Link headers, without their names (ASGI extension "Early Hints").

    Raises:
        AppTypeError, AppValueError: see `check_headers`.
    """
    if isinstance(links, (bytes, str)) or not hasattr(links, "__iter__"):
        raise AppTypeError(f"'links' must be a list of bytes, not {links!r}")
    return [value for _, value in check_headers([(b"link", link) for link in links])]


def check_headers(headers: Any) -> HeaderList:
    """Check an ASGI header list: bytes pairs that cannot split the response; hop-by-hop fields are left out.

    Raises:
        AppTypeError: not pairs of bytes.
        AppValueError: a name that is no token, a value with a line break or NUL.
    """
    checked: HeaderList = []
    if not hasattr(headers, "__iter__"):
        raise AppTypeError(f"'headers' must be (name, value) pairs of bytes, not {headers!r}")
    for header in headers:
        try:
            pair = _pairs.get(header) or _check(header)
        except (TypeError, ValueError):  # not hashable: a list of two, a memoryview
            pair = _check(header)
        if pair[0]:
            checked.append(pair)
    return checked


_pairs: RememberedPairs = {}


def _check(header: Any) -> tuple[bytes, bytes]:
    """One checked header, its name in lower case; the name is empty for the fields that are the server's."""
    try:
        name, value = header
        if type(name) is not bytes or type(value) is not bytes:
            name, value = bytes(memoryview(name)), bytes(memoryview(value))
    except (TypeError, ValueError):
        raise AppTypeError(f"each header must be a (name, value) pair of bytes, not {header!r}") from None
    check_name(name)
    if b"\n" in value or b"\r" in value or b"\0" in value:
        raise AppValueError(f"response header {name!r} holds a line break or NUL, which would split the response")
    lowered = name.lower()
    pair = (b"" if lowered in HOP_BY_HOP else lowered), value.strip(b" \t")
    remember_pair(_pairs, (name, value), pair)
    return pair
