"""A client's certificate reaches the app in its convention's own place, from a scope, an environ, or a socket."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from anysgi import AsgiToWsgi, WsgiToAsgi

from ._calling import asgi_app, body, fetch, head
from ._driving import serve, wsgi_app


@pytest.mark.anyio
async def test_a_wsgi_app_finds_it_in_the_environ() -> None:
    app = wsgi_app(b"x")
    tls = {"client_cert_chain": ["leaf"], "tls_version": 0x0303}
    await serve(WsgiToAsgi(app), scheme="https", extensions={"tls": tls})
    environ = app.environ  # type: ignore[attr-defined]
    assert (environ["SSL_CLIENT_CERT"], environ["SSL_PROTOCOL"]) == ("leaf", "TLSv1.2")


def tls_of(**environ: Any) -> Any:
    app = asgi_app(head(), body(b"x"))
    fetch(AsgiToWsgi(app, lifespan="off"), **environ)
    return app.scope["extensions"].get("tls")  # type: ignore[attr-defined]


def test_an_asgi_app_finds_it_in_the_scope() -> None:
    tls = tls_of(wsgi_url_scheme="https", SSL_CLIENT_CERT="leaf")
    assert tls["client_cert_chain"] == ["leaf"]
    assert tls_of(SSL_CLIENT_CERT="leaf") is None  # not over TLS


class Socket:
    """gunicorn's, as far as it is asked."""

    def getpeercert(self, binary_form: bool = False) -> Any:
        return b"DER" if binary_form else {}

    def version(self) -> str:
        return "TLSv1.3"

    def fileno(self) -> int:
        return -1


def test_gunicorns_socket_is_asked() -> None:
    tls = tls_of(**{"wsgi.url_scheme": "https", "gunicorn.socket": Socket()})
    assert tls["tls_version"] == 0x0304
    assert tls["client_cert_chain"] == [ssl.DER_cert_to_PEM_cert(b"DER")]
