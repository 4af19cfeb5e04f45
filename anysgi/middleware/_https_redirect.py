"""`https_redirect`: from http to https, from ws to wss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._engine._answers import problem
from ._engine._layer import middleware
from ._engine._response import Response
from ._hosts import Host, moved, parse_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._engine._request import Request

_SECURE = {"http": "https", "ws": "wss"}


@middleware(websocket=True)
def https_redirect(
    *, host: str | None = None, port: int = 443, status: int = 308
) -> Callable[[Request], Response | None]:
    """Redirect requests that did not come over TLS.

    Behind a proxy that ends TLS, put `proxy_headers` outside of it, or every request is redirected for ever.

    Args:
        host: the host to redirect to.  Without one it is the request's, so put `trusted_hosts` outside of it.
        port: where https is served.
        status: 308 or 307 keep the method; 301 and 302 turn a POST into a GET (RFC 9110 section 15.4).

    Raises:
        ValueError: `host` is none, or `status` no redirection.
    """
    fixed = parse_host(host)
    if host is not None and fixed is None:
        raise ValueError(f"https_redirect(host={host!r}): write a host such as 'example.com'")
    if status not in (301, 302, 307, 308):
        raise ValueError(f"https_redirect(status={status!r}): write 308, 307, 302 or 301")

    def guard(request: Request) -> Response | None:
        scheme = _SECURE.get(request.scheme)
        if scheme is None:
            return None
        if not request.raw_path.startswith("/"):  # behind the host it would name another one
            return problem(request, 400, "The request target is no path.")
        target = fixed or parse_host(request.host)
        if target is None:
            return problem(request, 400, "The Host header names no host.")
        authority = Host(target.name, None if port == 443 else port)
        return Response(status, headers=[("location", moved(request, scheme, authority))])

    return guard
