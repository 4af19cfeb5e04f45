"""Paths, both ways: `root_path` + `path` + `raw_path` of a scope against SCRIPT_NAME + PATH_INFO of an environ.

`raw_path` holds what the client wrote, so it wins, unless a middleware rewrote `path` and left `raw_path` behind.
A prefix is stripped at a segment boundary only.  WSGI strings carry bytes as latin-1; scopes carry UTF-8 text.
"""

from __future__ import annotations

from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from ._headers import latin1

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..types import Environ, Scope

_SAFE = "/~!$&'()*+,;=:@-._"
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))  # `%` among them: what was encoded stays so
_PLAIN = (_SAFE + ascii_letters + digits).encode("ascii")


def wsgi_paths(scope: Scope) -> tuple[str, str, str]:
    """Return SCRIPT_NAME, PATH_INFO and the path as the client wrote it (percent-encoded, no query).

    Both habits of servers are understood: `path` with `root_path` in front (the ASGI spec) and without it.
    """
    text: str = scope["path"]
    root: str = scope.get("root_path") or ""
    raw: bytes | None = scope.get("raw_path")
    if raw is not None:
        raw = raw.partition(b"?")[0]  # some servers leave the query in
    if text.isascii() and raw is not None and len(raw) == len(text) and b"%" not in raw and raw == text.encode("ascii"):
        path = written = text  # the common case: nothing was encoded
    else:
        path, written = _exact_path(text, raw)
    if not root:
        return "", path, written
    prefix = str(_utf8(root), "latin-1").rstrip("/")
    if path == prefix or path.startswith(prefix + "/"):
        path = path[len(prefix) :]
    return prefix, path, written


def _exact_path(text: str, raw: bytes | None) -> tuple[str, str]:
    if raw is not None:
        exact = unquote_to_bytes(raw)
        if exact.decode("utf-8", "replace") == _utf8(text).decode("utf-8", "replace"):
            return str(exact, "latin-1"), str(raw, "latin-1")
    exact = _utf8(text)
    return str(exact, "latin-1"), quote(exact, safe=_SAFE)


def _utf8(text: str) -> bytes:
    """Encode a scope's text; lone surrogates are bytes that some server could not decode (PEP 383)."""
    return text.encode("utf-8", "surrogateescape" if any("\udc80" <= c <= "\udcff" for c in text) else "replace")


def asgi_paths(environ: Environ) -> tuple[str, str, bytes]:
    """Return `root_path`, the full `path` and `raw_path` (percent-encoded, no query) of an environ.

    Undecodable bytes become U+FFFD in the text, since a lone surrogate would break the first app that encodes it;
    `raw_path` keeps them exactly, taken from REQUEST_URI or RAW_URI where the server gives one that agrees.
    """
    script: str = environ.get("SCRIPT_NAME") or ""
    info: str = environ.get("PATH_INFO") or ""
    written: str | None = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    exact = latin1(script + info)
    if not exact.translate(None, _PLAIN) and (not written or written == script + info):  # nothing to encode
        return script, script + info, exact
    raw = _written_path(written) if written else b""
    if (raw != exact or b"%" in raw) and (not raw or unquote_to_bytes(raw) != exact):
        raw = quote(exact, safe=_SAFE).encode("ascii")
    return latin1(script).decode("utf-8", "replace"), exact.decode("utf-8", "replace"), raw


def _written_path(target: str) -> bytes:
    """The path of a request target, which may be in absolute form (RFC 9112 section 3.2.2)."""
    raw = latin1(target).partition(b"?")[0].partition(b"#")[0]
    if not raw.startswith(b"/") and b"://" in raw:
        _, slash, rest = raw.partition(b"://")[2].partition(b"/")
        raw = slash + rest
    return raw


def path_in_scope(scope: Scope) -> str:
    """The path below the app's root, decoded: what routes are written against."""
    path: str = scope["path"]
    root: str = scope.get("root_path") or ""
    if root:
        prefix = root.rstrip("/")
        if path == prefix or path.startswith(prefix + "/"):
            return path[len(prefix) :]
    return path


def path_in_environ(environ: Environ) -> str:
    """The path below the app's root, decoded: what routes are written against."""
    info: str = environ.get("PATH_INFO") or ""
    return info if info.isascii() else latin1(info).decode("utf-8", "replace")


def text_path(environ: Environ) -> str:
    """The whole path of an environ as text, `SCRIPT_NAME` included: what a scope calls `path`."""
    return unnative_text((environ.get("SCRIPT_NAME") or "") + (environ.get("PATH_INFO") or ""))


def native_text(text: str) -> str:
    """Encode text as a native string of PEP 3333: UTF-8 bytes, each as one latin-1 character."""
    return str(_utf8(text), "latin-1")


def unnative_text(native: str) -> str:
    """Decode a native string as text."""
    return latin1(native).decode("utf-8", "replace")


def quoted_path(text: str) -> bytes:
    """Percent-encode a path: what a scope calls `raw_path`."""
    return quote(_utf8(text), safe=_SAFE).encode("ascii")


def visible(raw: bytes) -> str:
    """A path or query as the client wrote it, as ASCII: bytes that no URL may hold are percent-encoded."""
    return quote(raw, safe=_VISIBLE)


def written_target(scope: Mapping[str, Any]) -> str:
    """The path and query of a scope as the client wrote them, percent-encoded."""
    path: bytes = (scope.get("raw_path") or quoted_path(scope["path"])).partition(b"?")[0]
    query = query_text(scope)
    return str(path, "latin-1") + (f"?{query}" if query else "")


def query_text(scope: Mapping[str, Any]) -> str:
    """The query string of a scope as text, still percent-encoded."""
    return str(scope.get("query_string") or b"", "latin-1")
