"""`environ_from_scope`: an ASGI HTTP scope as a WSGI environ.

Sources: PEP 3333 "environ Variables"; ASGI spec, "HTTP", "WSGI Compatibility".
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ._headers import add_headers
from ._paths import wsgi_paths
from ._request_line import check_request_line

if TYPE_CHECKING:
    from ..types import Environ, Scope, UnderscorePolicy

_DEFAULT_PORTS = {"https": "443", "wss": "443"}


def environ_from_scope(scope: Scope, *, underscores: UnderscorePolicy = "drop", multiprocess: bool = True) -> Environ:
    """Translate the request; everything but `wsgi.input`, which is the adapter's to give.  The scope is left as it was.

    Args:
        scope: an ASGI `http` scope.
        underscores: what becomes of header names with `_`: `"drop"`, `"refuse"` (400) or `"keep"`.
        multiprocess: the value of `wsgi.multiprocess`.

    Raises:
        BadRequest: the headers contradict themselves, the target is no path, or the method no token.
    """
    script_name, path_info, written = wsgi_paths(scope)
    check_request_line(scope["method"], path_info)
    query = str(scope.get("query_string") or b"", "latin-1")
    target = f"{written}?{query}" if query else written
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path_info,
        "QUERY_STRING": query,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "SERVER_PROTOCOL": "HTTP/" + scope.get("http_version", "1.1"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme") or "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "asgi.scope": scope,
    }
    add_headers(environ, scope["headers"], underscores)
    environ["SERVER_NAME"], environ["SERVER_PORT"] = _server(scope, environ)
    client = scope.get("client")
    if client:
        environ["REMOTE_ADDR"] = str(client[0])
        environ["REMOTE_PORT"] = str(client[1] or 0)
    return environ


_OF_THE_REQUEST = ("HTTP_", "CONTENT_", "REMOTE_ADDR", "REMOTE_PORT", "wsgi.")


def inherit_environ(environ: Environ, outer: Environ) -> None:
    """Add what the environ further out says beside the request itself: a user, a session, the server's own keys.

    Args:
        environ: translated from a scope that `outer` was translated to; what it says, and what it lacks, goes.
        outer: of the WSGI server.
    """
    for key, value in outer.items():
        if key not in environ and not key.startswith(_OF_THE_REQUEST) and not key.endswith(".socket"):
            environ[key] = value
    environ["wsgi.errors"] = outer["wsgi.errors"]


def _server(scope: Scope, environ: Environ) -> tuple[str, str]:
    """SERVER_NAME and SERVER_PORT, never empty: from the socket, else the Host header, else the scheme.

    A server on a unix socket gives `(path, None)` or None.
    """
    name, port = scope.get("server") or (None, None)
    if name and port:
        return str(name), str(port)
    host = environ.get("HTTP_HOST", "")
    bare, colon, digits = host.rpartition(":")
    if not colon or (digits and not (digits.isascii() and digits.isdigit())):  # no port, or the tail of an IPv6 address
        bare, digits = host, ""
    return bare or str(name or "localhost"), digits or _DEFAULT_PORTS.get(environ["wsgi.url_scheme"], "80")
