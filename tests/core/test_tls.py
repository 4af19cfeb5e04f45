"""TLS and client certificates: the ASGI extension and mod_ssl's variables say the same."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi._core._tls import add_tls, tls_from_environ

NOTHING: dict[str, Any] = {
    "server_cert": None,
    "client_cert_chain": [],
    "client_cert_name": None,
    "client_cert_error": None,
    "tls_version": None,
    "cipher_suite": None,
}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"tls_version": 0x0304},
        {"server_cert": "PEM", "client_cert_chain": ["leaf", "middle", "root"], "client_cert_name": "CN=ada,O=shop"},
        {"client_cert_chain": ["leaf"], "client_cert_error": "certificate has expired"},
    ],
)
def test_what_an_asgi_server_tells_comes_back_from_the_environ(told: Any) -> None:
    environ: dict[str, Any] = {}
    add_tls(environ, told)
    assert environ["HTTPS"] == "on"
    assert tls_from_environ(environ) == {**NOTHING, **told}


def test_whether_a_certificate_was_verified_is_told() -> None:
    for told, verified in (
        ({}, "NONE"),
        ({"client_cert_chain": ["leaf"]}, "SUCCESS"),
        ({"client_cert_error": "expired"}, "FAILED:expired"),
    ):
        environ: dict[str, Any] = {}
        add_tls(environ, told)
        assert environ["SSL_CLIENT_VERIFY"] == verified


def test_what_cannot_be_said_is_left_out() -> None:
    environ: dict[str, Any] = {}
    add_tls(environ, {"tls_version": 0x9999, "server_cert": None, "client_cert_chain": None})
    assert environ == {"HTTPS": "on", "SSL_CLIENT_VERIFY": "NONE"}


def test_uwsgis_name_for_a_client_certificate_is_known() -> None:
    assert tls_from_environ({"HTTPS_CC": "leaf"})["client_cert_chain"] == ["leaf"]
