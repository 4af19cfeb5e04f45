"""What WSGI servers let us know about a client that left before the response is complete; no standard says how.

waitress             a callable in the environ, which knows all the time
gunicorn, werkzeug   their socket in the environ; asked only while the app is silent, as a write would tell as well
"""

from __future__ import annotations

import select
import sys
from functools import cache, partial
from typing import TYPE_CHECKING

from ..exceptions import ClientDisconnected

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from ..types import Environ

_HUNG_UP: int = getattr(select, "POLLRDHUP", 0)  # Linux has it


def disconnect_call(environ: Environ) -> Callable[[], bool] | None:
    """Return what the server offers to ask whether the client left."""
    return environ.get("waitress.client_disconnected") or environ.get("anysgi.client_disconnected")


def departure(environ: Environ) -> ClientDisconnected:
    """Make the exception that tells the server; waitress logs any but its own as a failure of the app."""
    theirs = getattr(sys.modules.get("waitress.channel"), "ClientDisconnected", None)
    kind = _both(theirs) if theirs and "waitress.client_disconnected" in environ else ClientDisconnected
    return kind("the server says that the client left")


@cache
def _both(theirs: type[Exception]) -> type[ClientDisconnected]:
    return type("ClientDisconnected", (ClientDisconnected, theirs), {})


def socket_check(environ: Environ) -> Callable[[], bool] | None:
    """Return what asks the connection itself whether the client will send no more, which is taken for its leaving."""
    sock: socket | None = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    return partial(_hung_up, sock) if sock is not None and _HUNG_UP else None


def _hung_up(sock: socket) -> bool:
    poll = select.poll()
    try:
        poll.register(sock, _HUNG_UP)
    except (OSError, ValueError):  # the server has closed it
        return True
    return bool(poll.poll(0))
