"""What an ASGI server offers beyond the standard, under the keys by which WSGI apps know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core._asgi_messages import EARLY_HINT
from .._core._tls import add_tls
from ._files import wrapper_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._bridge._port import Port
    from ..types import Environ, Send
    from ._early_hints import EarlyHints


def add_offers(environ: Environ, port: Port, send: Send) -> EarlyHints | None:
    """Add them to an environ; what is returned has hints to send before the response.

    Args:
        environ: of the request.
        port: the loop.
        send: the server's.
    """
    extensions: Mapping[str, Any] = environ["asgi.scope"].get("extensions") or {}
    environ["wsgi.file_wrapper"] = wrapper_for(extensions)
    tls = extensions.get("tls")
    if tls:
        add_tls(environ, tls)
    if EARLY_HINT not in extensions:
        return None
    from ._early_hints import EarlyHints

    hints = environ["wsgi.early_hints"] = EarlyHints(port, send)
    return hints
