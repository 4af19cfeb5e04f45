"""`security_headers`: what a browser should not do with a response."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import TYPE_CHECKING

from ._engine._layer import Flow, middleware
from ._names import several

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ._engine._request import Request
    from ._engine._response import Response

NONCE_KEY = "anysgi.csp_nonce"
"""Where the request keeps its nonce: `environ[NONCE_KEY]`, `scope[NONCE_KEY]`."""


@middleware
def security_headers(
    *,
    csp: str | Mapping[str, str | Collection[str]] | None = None,
    csp_report_only: bool = False,
    hsts: str | None = "max-age=31536000; includeSubDomains",
    nosniff: bool = True,
    frame: str | None = "DENY",
    referrer: str | None = "strict-origin-when-cross-origin",
    opener: str | None = "same-origin",
    embedder: str | None = None,
    resource: str | None = None,
    permissions: str | None = None,
    overwrite: bool = False,
    remove: Collection[str] = ("server", "x-powered-by"),
) -> Callable[[Request], Flow]:
    """Add security headers to every response; None leaves one out.

    A response's own headers win, so that one route can be laxer, unless `overwrite` is set.

    Args:
        csp: Content-Security-Policy, as text or by directive.  `{nonce}` in it becomes a new nonce for each request,
            which the app finds in `environ["anysgi.csp_nonce"]` or `scope["anysgi.csp_nonce"]`.
        csp_report_only: only report what the policy would refuse.
        hsts: Strict-Transport-Security (RFC 6797), sent over https only.
        nosniff: `X-Content-Type-Options: nosniff`.
        frame: X-Frame-Options.
        referrer: Referrer-Policy.
        opener: Cross-Origin-Opener-Policy.
        embedder: Cross-Origin-Embedder-Policy.
        resource: Cross-Origin-Resource-Policy.
        permissions: Permissions-Policy.
        overwrite: replace what the app set.
        remove: headers to take out, those that tell what the server runs.
    """
    policy = csp if csp is None or isinstance(csp, str) else _policy(csp)
    csp_name = "content-security-policy-report-only" if csp_report_only else "content-security-policy"
    removed = several(remove)
    has_nonce = policy is not None and "{nonce}" in policy
    values = {
        "x-content-type-options": "nosniff" if nosniff else None,
        "x-frame-options": frame,
        "referrer-policy": referrer,
        "cross-origin-opener-policy": opener,
        "cross-origin-embedder-policy": embedder,
        "cross-origin-resource-policy": resource,
        "permissions-policy": permissions,
        csp_name: None if has_nonce else policy,
    }
    plain = [(name, value) for name, value in values.items() if value is not None]
    secure = plain if hsts is None else [*plain, ("strict-transport-security", hsts)]

    def flow(request: Request) -> Flow:
        fields = secure if request.scheme == "https" else plain
        if has_nonce and policy is not None:
            nonce = request.native[NONCE_KEY] = token_urlsafe(18)
            fields = [*fields, (csp_name, policy.replace("{nonce}", nonce))]
        response: Response = yield request
        put = response.headers.set if overwrite else response.headers.setdefault
        for name, value in fields:
            put(name, value)
        for name in removed:
            response.headers.delete(name)

    return flow


def _policy(directives: Mapping[str, str | Collection[str]]) -> str:
    return "; ".join(
        f"{name} {sources if isinstance(sources, str) else ' '.join(sources)}".strip()
        for name, sources in directives.items()
    )
