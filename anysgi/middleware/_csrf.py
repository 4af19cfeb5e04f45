"""`csrf`: requests that a page of another site made a visitor's browser send are refused, without tokens.

Browsers say where a request comes from: `Sec-Fetch-Site` (Fetch Metadata), and before that `Origin`.  Clients that send
neither are no browsers, and carry no cookies they did not mean to send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._engine._answers import problem
from ._engine._layer import middleware
from ._hosts import parse_host
from ._origins import origin_judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._engine._request import Request
    from ._engine._response import Response
    from ._origins import Origins

SAFE = frozenset(["GET", "HEAD", "OPTIONS", "TRACE"])
"""Methods that change nothing (RFC 9110 section 9.2.1)."""


@middleware(websocket=True)
def csrf(*, trusted: Origins = ()) -> Callable[[Request], Response | None]:
    """Refuse cross-site requests that could change something, and WebSocket handshakes of other sites, with 403.

    GET, HEAD and OPTIONS pass, so they must change nothing.  It needs no token, no cookie and no change to a form.
    Routes for other sites to post to, such as webhooks, are named with `skip=`.

    Args:
        trusted: other origins that may send such requests; see `cors`.

    Raises:
        ValueError: an origin no browser sends.
    """
    judge = origin_judge(trusted)

    def guard(request: Request) -> Response | None:
        if request.method in SAFE and not _is_handshake(request):
            return None
        origin = request.headers.get("origin")
        if not _is_cross_site(request, origin) or (origin and judge(origin)):
            return None
        return problem(request, 403, "A page of another site sent this request.")

    return guard


def _is_handshake(request: Request) -> bool:
    """Whether a WebSocket is asked for: in WSGI that is a GET like any other."""
    return request.is_websocket or request.headers.has_token("upgrade", "websocket")


def _is_cross_site(request: Request, origin: str | None) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is None:
        return False
    # A browser without Fetch Metadata: the scheme may be a proxy's, so the hosts are compared, ports included.
    own = parse_host(request.host)
    return own is None or parse_host(origin.partition("://")[2]) != own
