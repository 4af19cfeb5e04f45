"""`trusted_hosts`: requests for other hosts than yours are refused, so that apps can build links from Host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._engine._answers import problem
from ._engine._layer import middleware
from ._engine._response import Response
from ._hosts import Host, HostPatterns, moved, parse_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._engine._request import Request


@middleware(websocket=True, outside=["https_redirect", "cors", "csrf"])
def trusted_hosts(*, hosts: Iterable[str], www: bool = False) -> Callable[[Request], Response | None]:
    """Answer 421 to requests for a host that is not named, and 400 to those whose Host is none (RFC 9110 section 7.2).

    Args:
        hosts: `"example.com"` on any port, `"example.com:8443"`, `"*.example.com"` for every host below it but not
            `example.com` itself, `"[::1]"`, or `"*"`.
        www: redirect (308) from `example.com`, if it is not named, to `www.example.com`, if that is.

    Raises:
        ValueError: what could be no host.
    """
    patterns = HostPatterns(hosts)

    def guard(request: Request) -> Response | None:
        host = parse_host(request.host)
        if host is None:
            return problem(request, 400, "The Host header names no host.")
        if host not in patterns and www and (to := _www(request, host, patterns)):
            return Response(308, headers={"location": to})
        if host not in patterns:
            return problem(request, 421, "This server does not answer for that host.")
        return None

    return guard


def _www(request: Request, host: Host, patterns: HostPatterns) -> str | None:
    """The same target below `www.`, if that is a host of ours."""
    there = Host(f"www.{host.name}", host.port)
    if there not in patterns or request.is_websocket or not request.raw_path.startswith("/"):
        return None
    return moved(request, request.scheme, there)
