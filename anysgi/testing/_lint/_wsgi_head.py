"""The rules about what an app hands to `start_response`, and about its body's chunks.

A judge takes a `Head`, or a chunk; the second argument of every judge is not used here.
"""

from __future__ import annotations

from typing import Any

from ._rule import WSGI, Milder
from ._values import has_control, is_token, is_wide, shown

HEAD, CHUNK = ["head"], ["chunk"]
_START, _FEATURES = "PEP 3333, The start_response() Callable", "PEP 3333, Other HTTP Features"
_UNICODE = "PEP 3333, Unicode Issues"
HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailers",
        "transfer-encoding",
        "upgrade",
    ]
)


class Head:
    """The arguments of one `start_response`.

    Attributes:
        pairs: the well-formed headers; the others are somebody else's finding.
        names: their names in lowercase.
        text: all of their names and values.
        code: the status code, 0 where there is none to read.
    """

    __slots__ = ("code", "exc_info", "headers", "names", "pairs", "status", "text")

    def __init__(self, status: Any, headers: Any, exc_info: Any = None) -> None:
        self.status, self.headers, self.exc_info = status, headers, exc_info
        self.pairs = [item for item in headers if _is_pair(item)] if isinstance(headers, list) else []
        self.names = [name.lower() for name, _ in self.pairs]
        self.text = "".join(map("".join, self.pairs))
        code = status[:3] if isinstance(status, str) else ""
        self.code = int(code) if len(code) == 3 and code.isascii() and code.isdigit() else 0

    @property
    def length(self) -> int | None:
        """Bytes that Content-Length promises."""
        if "content-length" not in self.names:
            return None
        value = next((value for name, value in self.pairs if name.lower() == "content-length"), "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def _is_pair(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], str)


NO_HEAD = Head("", [])


@WSGI.check("W036", "must", "app", on=HEAD, spec=_START, write='start_response("200 OK", headers)')
def status_is_a_line(head: Head, _: object) -> str | None:
    """`status` is a `str` of a code, one space and a reason, without control characters"""
    status = head.status
    good = isinstance(status, str) and len(status) >= 4 and status[3] == " " and not status[4:5].isspace()
    if not good or has_control(status):
        return f"status is {shown(status)}"
    return f"status is {shown(status)}, which is not latin-1" if is_wide(status) else None


@WSGI.check("W037", "must", "app", on=HEAD, spec=_START, write='start_response("404 Not Found", headers)')
def status_begins_with_a_code(head: Head, _: object) -> str | None:
    """the code is three digits, from 100 to 599"""
    if not isinstance(head.status, str) or 100 <= head.code <= 599:
        return None
    return f"status is {shown(head.status)}"


@WSGI.check("W038", "must", "app", on=HEAD, spec=_START, write='[("Content-Type", "text/plain")]')
def headers_are_a_list_of_tuples(head: Head, _: object) -> str | None:
    """headers are a `list` of two-item tuples of `str`"""
    if type(head.headers) is not list:
        return f"headers is {shown(head.headers)}"
    if len(head.pairs) == len(head.headers):
        return None
    strange = next(item for item in head.headers if not _is_pair(item))
    return f"the header {shown(strange)} is not a tuple of two str"


@WSGI.check("W039", "must", "app", on=HEAD, spec=f"{_START}; RFC 9110 section 5.1", write='("X-Name", "value")')
def header_names_are_tokens(head: Head, _: object) -> str | None:
    """header names are RFC 9110 tokens"""
    strange = next((name for name, _ in head.pairs if not is_token(name) and not is_wide(name)), None)
    return None if strange is None else f"the header name {strange!r} is no token"


@WSGI.check("W040", "must", "app", on=HEAD, spec=_START, write='("X-Name", "value")')
def header_values_have_no_controls(head: Head, _: object) -> str | None:
    """header values hold no control characters"""
    if not has_control(head.text):
        return None
    strange = next((pair for pair in head.pairs if has_control(pair[1])), None)
    return None if strange is None else f"the header {strange[0]} is {shown(strange[1])}"


@WSGI.check("W041", "must", "app", on=HEAD, spec=_UNICODE, write='("X-Name", text.encode("utf-8").decode("latin-1"))')
def headers_are_native(head: Head, _: object) -> str | None:
    """each character of a header stands for one byte: none is above U+00FF"""
    if not is_wide(head.text):
        return None
    wide = next(pair for pair in head.pairs if is_wide("".join(pair)))
    return f"the header {shown(wide)} is not latin-1"


@WSGI.check("W042", "must", "app", on=HEAD, spec=_START, write='start_response("200 OK", headers)')
def no_status_header(head: Head, _: object) -> str | None:
    """there is no `Status` header: the status is an argument"""
    return "there is a Status header" if "status" in head.names else None


@WSGI.check("W043", "must", "app", on=HEAD, spec=_FEATURES, write="leave it to the server")
def no_hop_by_hop_headers(head: Head, _: object) -> str | None:
    """there are no hop-by-hop headers: they are the server's"""
    if HOP_BY_HOP.isdisjoint(head.names):
        return None
    hop = next(name for name, _ in head.pairs if name.lower() in HOP_BY_HOP)
    return f"there is a {hop} header"


@WSGI.check(
    "W046",
    "must",
    "app",
    on=HEAD,
    spec=f"{_START}, Error Handling",
    write="start_response(status, headers, sys.exc_info())",
)
def exc_info_is_real(head: Head, _: object) -> str | None:
    """`exc_info`, if given, is the `(type, value, traceback)` of an exception"""
    info = head.exc_info
    if info is None:
        return None
    real = isinstance(info, tuple) and len(info) == 3 and isinstance(info[1], BaseException)
    return None if real else f"exc_info is {shown(info)}"


@WSGI.check("W054", "must", "app", on=CHUNK, spec="PEP 3333, Specification Details", write="yield text.encode()")
def chunks_are_bytes(chunk: Any, _: object) -> str | None:
    """the iterable yields bytes"""
    return None if isinstance(chunk, bytes) else f"the iterable yielded {shown(chunk)}"


def bodiless(code: int, method: Any, size: int) -> str | None:
    """W061: what is wrong with a body, if its response may have none."""
    if code in (204, 304) or 100 <= code < 200:
        return f"{size} bytes of body on a {code}"
    return Milder("ambiguous", f"{size} bytes of body on a HEAD, which servers drop") if method == "HEAD" else None
