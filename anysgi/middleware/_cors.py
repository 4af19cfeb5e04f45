"""`cors`: which other origins may call the app from a browser (Fetch standard, "HTTP CORS protocol")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._answers import problem
from ._layer import Flow, middleware
from ._origins import is_anyone, origin_judge
from ._response import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ._origins import Origins
    from ._request import Request

SAFELISTED = frozenset(["accept", "accept-language", "content-language", "content-type", "range"])
"""Request headers any page may send (Fetch standard, "CORS-safelisted request-header")."""


@middleware(outside=["csrf", "errors", "load_shed", "rate_limit", "timeout", "maintenance"])
def cors(
    *,
    origins: Origins,
    methods: Collection[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
    headers: Collection[str] | str = (),
    expose: Collection[str] = (),
    credentials: bool = False,
    max_age: int = 600,
    private_network: bool = False,
) -> Callable[[Request], Flow]:
    """Answer preflight requests, and tell browsers which origins may read a response.

    Put it outside of whatever may answer by itself (limits, error pages), so that a page can read those answers too.
    `Vary: Origin` is on every response whose headers depend on the origin, with or without one in the request.

    Args:
        origins: `"*"`, an origin such as `"https://example.com"`, a compiled pattern that must match all of one,
            several of these, or a function of the origin.
        methods: those a page may use beside the simple ones.
        headers: request headers a page may send beside the safelisted ones; `"*"` for any.
        expose: response headers a page may read.
        credentials: let the browser send cookies along.
        max_age: seconds a browser may remember the answer to a preflight.
        private_network: let public pages reach this server inside a private network.

    Raises:
        ValueError: an origin no browser sends; `"*"` together with credentials.
    """
    judge = origin_judge(origins)
    if credentials and is_anyone(judge):
        raise ValueError("cors(origins='*', credentials=True) would let any page act as your user; name the origins")
    allowed_methods = frozenset(methods) | {"GET", "HEAD", "POST"}
    any_header = headers == "*"
    allowed_headers = SAFELISTED | {name.lower() for name in ([] if isinstance(headers, str) else headers)}
    fixed = [("access-control-allow-credentials", "true")] if credentials else []
    exposed = [("access-control-expose-headers", ", ".join(expose))] if expose else []

    def allow(origin: str) -> list[tuple[str, str]]:
        return [("access-control-allow-origin", "*" if is_anyone(judge) else origin), *fixed]

    def refused(request: Request, origin: str) -> str:
        """Why a preflight fails; empty if it does not."""
        wanted = request.headers.get("access-control-request-method", "")
        if not judge(origin):
            return f"The origin {origin} may not call this."
        if wanted not in allowed_methods:
            return f"The method {wanted} is not allowed across origins."
        unknown = set(request.headers.tokens("access-control-request-headers")) - allowed_headers
        if unknown and not any_header:
            return f"The header {min(unknown)} is not allowed across origins."
        if not private_network and request.headers.get("access-control-request-private-network") == "true":
            return "This server may not be called from public pages."
        return ""

    def preflight(request: Request, origin: str) -> Response:
        detail = refused(request, origin)
        if detail:
            response = problem(request, 403, detail)
        else:
            response = Response(204, headers=[*allow(origin), ("access-control-max-age", str(max_age))])
            response.headers.set("access-control-allow-methods", ", ".join(sorted(allowed_methods)))
            asked = request.headers.tokens("access-control-request-headers") if any_header else allowed_headers
            if asked:
                response.headers.set("access-control-allow-headers", ", ".join(sorted(asked)))
            if private_network and "access-control-request-private-network" in request.headers:
                response.headers.set("access-control-allow-private-network", "true")
        response.headers.vary("origin", "access-control-request-method", "access-control-request-headers")
        return response

    def flow(request: Request) -> Flow:
        origin = request.headers.get("origin")
        if origin and request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return preflight(request, origin)
        response: Response = yield request
        if not is_anyone(judge):
            response.headers.vary("origin")
        if origin and judge(origin):
            for name, value in [*allow(origin), *exposed]:
                response.headers.set(name, value)
        return None

    return flow
