"""`method_override`: PUT, PATCH and DELETE for clients that can only POST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._engine._answers import problem
from ._engine._layer import middleware
from ._names import several

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ._engine._request import Request
    from ._engine._response import Response


@middleware
def method_override(
    *, header: str = "x-http-method-override", methods: Collection[str] = ("PUT", "PATCH", "DELETE")
) -> Callable[[Request], Response | None]:
    """Let a POST name another method in a header.

    Args:
        header: the header's name.
        methods: those it may name; another one is answered 400.  GET and HEAD would let a form cache or hide a change.
    """
    allowed = frozenset(method.upper() for method in several(methods))

    def guard(request: Request) -> Response | None:
        wanted = request.headers.get(header) if request.method == "POST" else None
        if wanted is None:
            return None
        if wanted.upper() not in allowed:
            return problem(request, 400, f"A POST may become {', '.join(sorted(allowed))}.")
        request.method = wanted.upper()
        return None

    return guard
