"""`scope_from_environ`: a WSGI environ as an ASGI HTTP scope.

Sources: ASGI spec, "HTTP Connection Scope" and "WSGI Compatibility"; RFC 3875 section 4.1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequest
from ._headers import headers_from_environ, is_length, latin1, undone_chunks
from ._paths import asgi_paths

if TYPE_CHECKING:
    from ..types import Environ

# 2.4: `send()` raises an OSError once the client is gone, and ours does; Starlette trusts this number.
_ASGI = {"version": "3.0", "spec_version": "2.4"}
_HTTP_VERSIONS = {"HTTP/1.1": "1.1", "HTTP/1.0": "1.0", "HTTP/2.0": "2", "HTTP/2": "2", "HTTP/3.0": "3", "HTTP/3": "3"}
# What a WSGI server does for the app, and what an ASGI server calls it (ASGI spec, "Extensions").
_EXTENSIONS = (("wsgi.file_wrapper", "http.response.pathsend"), ("wsgi.early_hints", "http.response.early_hint"))


def scope_from_environ(environ: Environ) -> dict[str, Any]:
    """Translate the request.  The environ is left as it was and rides along under `wsgi.environ`."""
    root_path, path, raw_path = asgi_paths(environ)
    return {
        "type": "http",
        "asgi": _ASGI.copy(),
        "http_version": _http_version(environ.get("SERVER_PROTOCOL", "")),
        "method": environ["REQUEST_METHOD"].upper(),
        "scheme": environ.get("wsgi.url_scheme") or "http",
        "path": path,
        "raw_path": raw_path,
        "query_string": latin1(environ.get("QUERY_STRING") or ""),
        "root_path": root_path,
        "headers": headers_from_environ(environ),
        "client": _client(environ),
        "server": _server(environ.get("SERVER_NAME"), environ.get("SERVER_PORT")),
        "extensions": {name: {} for key, name in _EXTENSIONS if key in environ},
        "wsgi.environ": environ,
    }


def content_length(environ: Environ) -> int | None:
    """Bytes of body announced by CONTENT_LENGTH, or None; an empty value counts as absent (RFC 3875 section 4.1.2).

    Raises:
        BadRequest: it is not a number.
    """
    text = environ.get("CONTENT_LENGTH")
    if not text or undone_chunks(environ):
        return None
    text = str(text)
    if not is_length(text):
        raise BadRequest(f"Content-Length is not one number: {text[:40]!r}")
    return int(text)


def _http_version(protocol: str) -> str:
    return _HTTP_VERSIONS.get(protocol) or protocol.removeprefix("HTTP/") or "1.1"


def _client(environ: Environ) -> tuple[str, int] | None:
    address = environ.get("REMOTE_ADDR")
    return (address, _port(environ.get("REMOTE_PORT")) or 0) if address else None


@lru_cache(maxsize=64)  # of one server they are always the same
def _server(name: str | None, port: str | None) -> tuple[str, int | None] | None:
    if not name:
        return None
    bare = name[1:-1] if name[0] == "[" else name  # an IPv6 address, as RFC 3875 section 4.1.14 writes it
    return bare, _port(port)


def _port(text: object) -> int | None:
    digits = str(text)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None
