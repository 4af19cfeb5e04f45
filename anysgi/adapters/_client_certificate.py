"""The TLS extension for an ASGI app on a WSGI server; gunicorn tells nothing, but shows its socket, which knows."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from .._core._tls import tls_from_environ

if TYPE_CHECKING:
    from ..types import Environ


def tls_extension(environ: Environ) -> dict[str, Any]:
    """Return the contents of `scope["extensions"]["tls"]`."""
    sock: Any = environ.get("gunicorn.socket")
    if not hasattr(sock, "getpeercert"):  # gevent has a class of its own
        return tls_from_environ(environ)
    certificate = sock.getpeercert(binary_form=True)
    told = {"SSL_PROTOCOL": sock.version(), "SSL_CLIENT_CERT": certificate and ssl.DER_cert_to_PEM_cert(certificate)}
    return tls_from_environ({**environ, **told})
