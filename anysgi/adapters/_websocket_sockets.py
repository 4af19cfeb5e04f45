"""Which WSGI servers hand out their socket, and why a WebSocket cannot be had from the others.

gunicorn (gthread, gevent)   environ["gunicorn.socket"]
werkzeug's server            environ["werkzeug.socket"], as `WsgiToAsgi` itself gives
gevent.pywsgi                under `wsgi.input`, which is the socket's plain file for a request that upgrades
"""

from __future__ import annotations

import sys
from io import BufferedReader
from socket import SocketIO
from typing import TYPE_CHECKING

from .._bridge._pieces import PIECE
from ..exceptions import BadRequest

if TYPE_CHECKING:
    from socket import socket

    from ..types import Environ

_KEYS = ("gunicorn.socket", "werkzeug.socket")


def socket_of(environ: Environ) -> socket:
    """Return the connection a request came on.

    Raises:
        BadRequest: the server does not hand it out, or cannot spare it (501).
    """
    for key in _KEYS:
        found: socket | None = environ.get(key)
        if found is not None:
            if not environ.get("wsgi.multithread"):
                raise BadRequest(_ONE_AT_A_TIME, 501)
            return found
    return _socket_of_gevent(environ)


def _socket_of_gevent(environ: Environ) -> socket:
    reader = environ.get("wsgi.input")
    software = str(environ.get("SERVER_SOFTWARE"))
    if not (software.startswith("gevent") and isinstance(reader, BufferedReader) and isinstance(reader.raw, SocketIO)):
        raise BadRequest(_HIDDEN, 501)
    if not sys.modules["gevent"].monkey.is_module_patched("threading"):
        raise BadRequest(_NOT_PATCHED, 501)
    found: socket = reader.raw._sock  # type: ignore[attr-defined]  # typeshed leaves it out
    return found


def early_bytes(reader: object) -> bytes:
    """What a server read ahead of the request's end, where it keeps that in a plain buffered file.

    A client must wait for the 101 (RFC 6455 section 4.1).  One that does not may want its bytes to be taken for the
    next request once the WebSocket is over, so they are not left where they are.
    """
    if not isinstance(reader, BufferedReader) or not isinstance(reader.raw, SocketIO):
        return b""
    try:
        return reader.read1(PIECE) or b""
    except OSError:  # TLS has its own way of saying that there is nothing
        return b""


_HIDDEN = (
    "This server does not hand out its connections, so it cannot carry WebSockets. These do: gunicorn with gthread or "
    "gevent workers, werkzeug, gevent.pywsgi; and every ASGI server, which needs no AsgiToWsgi at all."
)
_ONE_AT_A_TIME = (
    "This server serves one request at a time, and a WebSocket would be the only one for as long as it is open. "
    "Use threads: gunicorn --worker-class gthread --threads 40."
)
_NOT_PATCHED = (
    "A WebSocket would block this gevent server, as its threads are not gevent's. "
    "Begin the program with: from gevent import monkey; monkey.patch_all()"
)
