"""`cors`: which other origins may call the app from a browser (Fetch standard, "HTTP CORS protocol")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._engine._answers import problem
from ._engine._layer import Flow, middleware
from ._engine._response import Response
from ._names import lowered, several
from ._origins import is_anyone, origin_judge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ._engine._request import Request
    from ._origins import Origins

SAFELISTED = frozenset(["accept", "accept-language", "content-language", "content-type", "range"])
"""Request headers any page may send (Fetch standard, "CORS-safelisted request-header")."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # of a header (RFC 9110 section 5.1): only those go back to the client


@middleware(outside=["csrf", "errors", "idempotency", "load_shed", "rate_limit", "timeout", "maintenance"])
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
    allowed = SAFELISTED | lowered(headers)
    policy = _Policy(
        judge=judge,
        methods=frozenset(several(methods)) | {"GET", "HEAD", "POST"},
        headers=None if "*" in allowed else allowed,
        max_age=max_age,
        private_network=private_network,
        granted=[("access-control-allow-credentials", "true")] if credentials else [],
    )
    exposed = [("access-control-expose-headers", ", ".join(several(expose)))] if expose else []

    def flow(request: Request) -> Flow:
        origin = request.headers.get("origin")
        if origin and request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return policy.preflight(request, origin)
        response: Response = yield request
        if not is_anyone(judge):
            response.headers.vary("origin")
        if origin and judge(origin):
            for name, value in [*policy.grant(origin), *exposed]:
                response.headers.set(name, value)
        return None

    return flow


@dataclass(frozen=True, slots=True, kw_only=True)
class _Policy:
    """What is allowed across origins; `headers` is None for any, `granted` goes to every origin that may call."""

    judge: Callable[[str], bool]
    methods: frozenset[str]
    headers: frozenset[str] | None
    max_age: int
    private_network: bool
    granted: list[tuple[str, str]]

    def grant(self, origin: str) -> list[tuple[str, str]]:
        return [("access-control-allow-origin", "*" if is_anyone(self.judge) else origin), *self.granted]

    def preflight(self, request: Request, origin: str) -> Response:
        detail = self._refusal(request, origin)
        response = problem(request, 403, detail) if detail else self._permission(request, origin)
        response.headers.vary("origin", "access-control-request-method", "access-control-request-headers")
        return response

    def _refusal(self, request: Request, origin: str) -> str:
        """Why a preflight fails; empty if it does not."""
        wanted = request.headers.get("access-control-request-method", "")
        if not self.judge(origin):
            return f"The origin {origin} may not call this."
        if wanted not in self.methods:
            return f"The method {wanted} is not allowed across origins."
        asked = set(request.headers.tokens("access-control-request-headers"))
        denied = {name for name in asked if not _NAME.fullmatch(name)} if self.headers is None else asked - self.headers
        if denied:
            return f"The header {min(denied)} is not allowed across origins."
        if not self.private_network and request.headers.get("access-control-request-private-network") == "true":
            return "This server may not be called from public pages."
        return ""

    def _permission(self, request: Request, origin: str) -> Response:
        response = Response(204, headers=[*self.grant(origin), ("access-control-max-age", str(self.max_age))])
        headers = response.headers
        headers.set("access-control-allow-methods", ", ".join(sorted(self.methods)))
        allowed = request.headers.tokens("access-control-request-headers") if self.headers is None else self.headers
        if allowed:
            headers.set("access-control-allow-headers", ", ".join(sorted(allowed)))
        if self.private_network and "access-control-request-private-network" in request.headers:
            headers.set("access-control-allow-private-network", "true")
        return response
