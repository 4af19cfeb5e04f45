"""A client's certificate, from a real client through a real server's TLS, to an ASGI app and to a WSGI app in it.

No ASGI server of today offers the extension "TLS"; that way is tried where an `AsgiToWsgi` offers it.
"""

from __future__ import annotations

import json
import ssl
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from tests.adapters._certificates import write_certificate
from tests.cli._run import PATIENCE, free_port, running

pytestmark = pytest.mark.server

TLS = "--certfile {pem} --keyfile {pem} --ca-certs {pem} --cert-reqs 2"
GUNICORN = f"-m gunicorn apps.tls_app --no-control-socket --bind 127.0.0.1:{{port}} {TLS}"
SERVERS = [
    pytest.param(GUNICORN, "TLSv1.3", id="gunicorn-sync"),
    pytest.param(f"{GUNICORN} --threads 2", "TLSv1.3", id="gunicorn-gthread"),
    pytest.param("-m apps.tls_run werkzeug {port} {pem}", None, id="werkzeug"),
    pytest.param("-m apps.tls_run cheroot {port} {pem}", "TLSv1.3", id="cheroot", marks=pytest.mark.slow),
]


def ask(port: int, path: str, pem: Path) -> Any:
    context = ssl.create_default_context(cafile=pem)
    context.load_cert_chain(pem)
    client = HTTPSConnection("localhost", port, context=context, timeout=PATIENCE)
    try:
        client.request("GET", path)
        return json.load(client.getresponse())
    finally:
        client.close()


@pytest.mark.parametrize(("command", "protocol"), SERVERS)
def test_a_clients_certificate_reaches_apps_of_both_conventions(
    command: str, protocol: str | None, tmp_path: Path
) -> None:
    pem, port = write_certificate(tmp_path), free_port()
    certificate = pem.read_text().partition("-----BEGIN PRIVATE")[0].strip()
    with running(*command.format(pem=pem, port=port).split(), cwd=Path(__file__).parent, port=port):
        tls, environ = ask(port, "/", pem), ask(port, "/wsgi", pem)
    assert [text.strip() for text in tls["client_cert_chain"]] == [certificate]
    assert (tls["client_cert_error"], tls["tls_version"]) == (None, 0x0304 if protocol else None)
    assert environ["SSL_CLIENT_CERT"].strip() == certificate
    assert (environ["SSL_CLIENT_VERIFY"], environ.get("SSL_PROTOCOL")) == ("SUCCESS", protocol)
