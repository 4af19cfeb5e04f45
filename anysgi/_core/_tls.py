"""What is known of a TLS connection, both ways: the ASGI extension "TLS", and the names of Apache's mod_ssl.

    tls_version          SSL_PROTOCOL
    server_cert          SSL_SERVER_CERT
    client_cert_chain    SSL_CLIENT_CERT, SSL_CLIENT_CERT_CHAIN_0, ...
    client_cert_name     SSL_CLIENT_S_DN
    client_cert_error    SSL_CLIENT_VERIFY, after `FAILED:`

mod_wsgi gives mod_ssl's own, werkzeug SSL_CLIENT_CERT, uWSGI HTTPS_CC for it.  None of them can be sent as a header.
"""

from __future__ import annotations

from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..types import Environ

_VERSIONS = {"TLSv1": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
_PROTOCOLS = {version: name for name, version in _VERSIONS.items()}
_FAILED = "FAILED:"


def tls_from_environ(environ: Environ) -> dict[str, Any]:
    """Return the extension's contents, as far as a WSGI server tells."""
    certificate = environ.get("SSL_CLIENT_CERT") or environ.get("HTTPS_CC")
    rest = takewhile(bool, (environ.get(f"SSL_CLIENT_CERT_CHAIN_{number}") for number in count()))
    verified = str(environ.get("SSL_CLIENT_VERIFY") or "")
    return {
        "server_cert": environ.get("SSL_SERVER_CERT") or None,
        "client_cert_chain": [certificate, *rest] if certificate else [],
        "client_cert_name": environ.get("SSL_CLIENT_S_DN") or None,
        "client_cert_error": verified.removeprefix(_FAILED) if verified.startswith(_FAILED) else None,
        "tls_version": _VERSIONS.get(str(environ.get("SSL_PROTOCOL"))),
        "cipher_suite": None,
    }


def add_tls(environ: Environ, tls: Mapping[str, Any]) -> None:
    """Add mod_ssl's variables for what an ASGI server tells; nothing for what it leaves out."""
    chain = list(tls.get("client_cert_chain") or ())
    error = tls.get("client_cert_error")
    found = {
        "HTTPS": "on",
        "SSL_PROTOCOL": _PROTOCOLS.get(tls.get("tls_version") or 0),
        "SSL_SERVER_CERT": tls.get("server_cert"),
        "SSL_CLIENT_CERT": chain[0] if chain else None,
        "SSL_CLIENT_S_DN": tls.get("client_cert_name"),
        "SSL_CLIENT_VERIFY": f"{_FAILED}{error}" if error else "SUCCESS" if chain else "NONE",
        **{f"SSL_CLIENT_CERT_CHAIN_{number}": certificate for number, certificate in enumerate(chain[1:])},
    }
    environ.update({key: value for key, value in found.items() if value})
