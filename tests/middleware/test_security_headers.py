"""`security_headers`: what browsers are told not to do."""

from __future__ import annotations

import re

from anysgi.middleware import security_headers

from ._driving import App, Drive


def test_the_defaults_are_safe_and_break_no_page(drive: Drive) -> None:
    answer = drive(security_headers())
    assert dict(answer.headers) == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "strict-origin-when-cross-origin",
        "cross-origin-opener-policy": "same-origin",
    }


def test_hsts_is_sent_over_https_only(drive: Drive) -> None:
    field = "strict-transport-security"
    assert drive(security_headers(), scheme="https").header(field) == "max-age=31536000; includeSubDomains"
    assert drive(security_headers(hsts=None), scheme="https").header(field) is None


def test_a_route_may_be_laxer_unless_that_is_overruled(drive: Drive) -> None:
    app = App(b"x", headers={"X-Frame-Options": "SAMEORIGIN"})
    assert drive(security_headers(), app).header("x-frame-options") == "SAMEORIGIN"
    assert drive(security_headers(overwrite=True), app).header("x-frame-options") == "DENY"


def test_what_tells_of_the_server_is_taken_out(drive: Drive) -> None:
    app = App(b"x", headers={"Server": "old/1.0", "X-Powered-By": "PHP"})
    answer = drive(security_headers(), app)
    assert answer.header("server") is None
    assert answer.header("x-powered-by") is None
    assert drive(security_headers(remove=()), app).header("server") == "old/1.0"


def test_a_nonce_is_new_for_each_request_and_the_app_knows_it(drive: Drive) -> None:
    stack = security_headers(csp={"default-src": "'self'", "script-src": ["'self'", "'nonce-{nonce}'"], "sandbox": ""})
    nonces = set()
    for _ in range(3):
        app = App(b"x")
        policy = drive(stack, app).header("content-security-policy") or ""
        nonce = app.request["anysgi.csp_nonce"]
        assert re.fullmatch(r"[\w-]{24}", nonce)
        assert policy == f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; sandbox"
        nonces.add(nonce)
    assert len(nonces) == 3


def test_a_policy_may_only_report(drive: Drive) -> None:
    answer = drive(security_headers(csp="default-src 'none'", csp_report_only=True))
    assert answer.header("content-security-policy-report-only") == "default-src 'none'"
    assert answer.header("content-security-policy") is None


def test_every_header_can_be_set_or_left_out(drive: Drive) -> None:
    stack = security_headers(
        nosniff=False,
        frame=None,
        referrer=None,
        opener=None,
        embedder="require-corp",
        resource="same-site",
        permissions="camera=()",
    )
    assert dict(drive(stack).headers) == {
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-site",
        "permissions-policy": "camera=()",
    }
