"""`trusted_hosts`: requests for other hosts than yours are refused, so that apps can build links from Host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._answers import problem
from ._hosts import HostPatterns, parse_host
from ._layer import middleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._request import Request
    from ._response import Response


@middleware(websocket=True, outside=["https_redirect", "cors", "csrf"])
def trusted_hosts(*, hosts: Iterable[str]) -> Callable[[Request], Response | None]:
    """Answer 421 to requests for a host that is not named, and 400 to those whose Host is none (RFC 9110 section 7.2).

    Args:
        hosts: `"example.com"` on any port, `"example.com:8443"`, `"*.example.com"` for every host below it but not
            `example.com` itself, `"[::1]"`, or `"*"`.

    Raises:
        ValueError: what could be no host.
    """
    patterns = HostPatterns(hosts)

    def guard(request: Request) -> Response | None:
        host = parse_host(request.host)
        if host is None:
            return problem(request, 400, "The Host header names no host.")
        if host not in patterns:
            return problem(request, 421, "This server does not answer for that host.")
        return None

    return guard
