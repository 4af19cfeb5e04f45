"""Header names and values, both ways.

Facts that rule this file:
* environ keys are case-insensitive and cannot tell `-` from `_`, so a name with an underscore can forge another header;
* values are bytes on the wire and latin-1 native strings in WSGI (PEP 3333, "Unicode Issues"): byte-exact both ways;
* repeated fields join with `, `, cookies with `; ` (RFC 9113 section 8.2.3), and a few must never join (RFC 9110 5.3);
* names repeat from request to request, so their translation is remembered, in tables of bounded size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import AppTypeError, AppValueError, BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..types import Environ, HeaderList, UnderscorePolicy

HOP_BY_HOP = frozenset(
    [
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",  # announces fields that no WSGI server or app can send
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
    ]
)
"""Fields of the connection, which is the server's: apps may not set them (PEP 3333, "Other HTTP Features")."""

DROPPED = ""  # the key of a request header no app may see

# `Proxy` becomes HTTP_PROXY, which HTTP clients read as a setting (httpoxy); the ASGI server has undone the chunks.
_KEYS: dict[bytes, str] = {
    b"content-type": "CONTENT_TYPE",
    b"content-length": "CONTENT_LENGTH",
    b"proxy": DROPPED,
    b"transfer-encoding": DROPPED,
}
_GUARDED = frozenset(_KEYS)  # taken before the table begins to remember what passes by
_NAMES: dict[str, bytes] = {
    "HTTP_CONTENT_TYPE": b"",
    "HTTP_CONTENT_LENGTH": b"",
    "HTTP_PROXY": b"",
}
ENCODED_NAMES: dict[str, bytes] = {}
encoded_name = ENCODED_NAMES.get
LONGEST = 64  # bytes of a name worth remembering
REMEMBERED = 1024  # names per table: plenty for honest traffic, and a bound for hostile traffic

_SINGLE = {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST", "HTTP_AUTHORIZATION"}
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def add_headers(environ: Environ, headers: Iterable[tuple[bytes, bytes]], underscores: UnderscorePolicy) -> None:
    """Translate ASGI request headers into keys of `environ`, in time linear in their number.

    Raises:
        BadRequest: a field that must be single is repeated with another value, or Content-Length is not a number.
    """
    known = _KEYS
    repeated: dict[str, list[str]] = {}
    chunked = False
    for name, value in headers:
        key = known.get(name)
        if key is None:
            key = _environ_key(name, underscores)
        if not key:
            chunked = chunked or bytes(name).lower() == b"transfer-encoding"
            continue
        text = value.decode("latin-1")
        if key in environ:
            if key in repeated:
                repeated[key].append(text)
            else:
                repeated[key] = [environ[key], text]
        else:
            environ[key] = text
    for key, values in repeated.items():
        environ[key] = _join(key, values)
    if chunked:  # it overrides Content-Length (RFC 9112 section 6.3): with both, it may be an attempt at smuggling
        environ.pop("CONTENT_LENGTH", None)
    length = environ.get("CONTENT_LENGTH")
    if length is not None and not is_length(length):
        environ["CONTENT_LENGTH"] = _one_length(length)


def _environ_key(name: bytes, underscores: UnderscorePolicy) -> str:
    lowered = bytes(name).lower()
    if lowered in _KEYS:  # servers should lowercase names; apps must not depend on it
        return _KEYS[lowered]
    if b"_" in lowered and not _underscore_allowed(lowered, underscores):
        return DROPPED
    key = "HTTP_" + str(lowered.upper(), "latin-1").replace("-", "_")
    if b"_" not in lowered and len(_KEYS) < REMEMBERED and len(name) <= LONGEST:
        _KEYS[bytes(name)] = key
    return key


def _underscore_allowed(lowered: bytes, policy: UnderscorePolicy) -> bool:
    if policy == "refuse":
        raise BadRequest(f"header name {str(lowered, 'latin-1')!r} has an underscore")
    # Whatever the policy, nobody forges the fields that frame the body, nor the ones dropped above.
    return policy == "keep" and lowered.replace(b"_", b"-") not in _GUARDED


def separator(key: str) -> str:
    """What joins the values of a repeated field, by its environ key (RFC 9110 section 5.3, RFC 9113 section 8.2.3)."""
    return "; " if key == "HTTP_COOKIE" else ", "


def _join(key: str, values: list[str]) -> str:
    if key not in _SINGLE:
        return separator(key).join(values)
    if len(set(values)) > 1:
        raise BadRequest(f"{key.removeprefix('HTTP_').replace('_', '-').title()} is repeated with different values")
    return values[0]


def _one_length(text: str) -> str:
    """Collapse `5, 5` to `5` (RFC 9112 section 6.3); anything else that is not a number is refused."""
    values = {part.strip() for part in text.split(",")}
    length = values.pop()
    if values or not is_length(length):
        raise BadRequest(f"Content-Length is not one number: {text[:40]!r}")
    return length


def is_length(value: str | bytes) -> bool:
    """Whether it is one Content-Length: digits alone, and no more of them than 64 bits hold (RFC 9110 section 8.6)."""
    return len(value) < 20 and value.isascii() and value.isdigit()


def headers_from_environ(environ: Environ) -> HeaderList:
    """Collect the ASGI request headers of a WSGI `environ`: lowercased, empty CGI values absent (RFC 3875 4.1)."""
    headers: HeaderList = []
    known = _NAMES
    for key, value in environ.items():
        name = known.get(key)
        if name is None:
            name = _header_name(key)
        if name:
            try:
                headers.append((name, value.encode("latin-1")))
            except (UnicodeEncodeError, AttributeError):
                headers.append((name, latin1(value)))
    if environ.get("CONTENT_TYPE"):
        headers.append((b"content-type", latin1(environ["CONTENT_TYPE"])))
    if environ.get("CONTENT_LENGTH") and not undone_chunks(environ):
        headers.append((b"content-length", latin1(environ["CONTENT_LENGTH"])))
    return headers


def undone_chunks(environ: Environ) -> bool:
    """Whether the server undid a chunked body: then a Content-Length beside it counts for nothing (RFC 9112 6.3)."""
    return "HTTP_TRANSFER_ENCODING" in environ and bool(environ.get("wsgi.input_terminated"))


def _header_name(key: str) -> bytes:
    """The header an environ key stands for; empty for the keys that are no headers."""
    name = latin1(key[5:]).lower().replace(b"_", b"-") if key[:5] == "HTTP_" else b""
    if len(_NAMES) < REMEMBERED and len(key) <= LONGEST:
        _NAMES[key] = name
    return name


def latin1(text: object) -> bytes:
    """Encode a native string; one that some middleware filled with real unicode goes out as UTF-8 rather than fail."""
    try:
        return str(text).encode("latin-1")
    except UnicodeEncodeError:
        return str(text).encode("utf-8", "surrogateescape")


def response_header(name: object, value: object) -> tuple[bytes, bytes]:
    """Check one header of a WSGI app and encode it for ASGI: the name lowercased, blanks around the value stripped.

    Raises:
        AppTypeError: name or value is not a `str`.
        AppValueError: the name is not a token, or either could split the response (RFC 9110 section 5.5).
    """
    if type(name) is not str or type(value) is not str:
        if not (isinstance(name, str) and isinstance(value, str)):
            raise AppTypeError(
                f"response header {name!r}: {value!r} must be two str (PEP 3333); write ({str(name)!r}, {str(value)!r})"
            )
        name, value = str(name), str(value)
    try:
        raw_name = ENCODED_NAMES.get(name) or _response_name(name)
        raw_value = value.encode("latin-1")
    except UnicodeEncodeError:
        raise AppValueError(
            f"response header {name!r} holds characters outside latin-1: {value!r}; percent-encode them or use RFC 8187"
        ) from None
    if b"\n" in raw_value or b"\r" in raw_value or b"\0" in raw_value:
        raise AppValueError(
            f"response header {name!r} holds a line break or NUL, which would split the response: {value!r}"
        )
    return raw_name, raw_value.strip(b" \t")


def field_name(name: str) -> bytes:
    """Encode a header name, lowercased.

    Raises:
        AppValueError: it is not a token.
    """
    try:
        return ENCODED_NAMES.get(name) or _response_name(name)
    except UnicodeEncodeError:
        raise AppValueError(f"{name!r} is not a header name (RFC 9110 section 5.1)") from None


def field_value(value: str, name: str) -> bytes:
    """Encode the value of a header of that name.

    Raises:
        AppTypeError: it is not a `str`.
        AppValueError: it holds a line break, NUL, or characters outside latin-1.
    """
    if not isinstance(value, str):
        raise AppTypeError(f"header {name!r} must be a str, not {value!r}; write {str(value)!r}")
    if value.isascii() and value.isprintable():
        return value.encode("ascii")
    return response_header(name, value)[1]


def _response_name(name: str) -> bytes:
    raw = name.encode("latin-1")
    check_name(raw)
    raw = raw.lower()
    if len(ENCODED_NAMES) < REMEMBERED and len(raw) <= LONGEST:
        ENCODED_NAMES[name] = raw
    return raw


def is_token(text: bytes) -> bool:
    """Whether these are the bytes of a token (RFC 9110 section 5.6.2)."""
    return bool(text) and _TOKEN.issuperset(text)


def check_name(name: bytes) -> None:
    """Raise `AppValueError` unless `name` is a token (RFC 9110 section 5.1)."""
    if not is_token(name):
        raise AppValueError(f"{str(name, 'latin-1')!r} is not a header name (RFC 9110 section 5.1)")
