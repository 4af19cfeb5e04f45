"""`body_limit`: request bodies of a bounded size, whatever their Content-Length says (RFC 9110 section 15.5.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import BadRequest
from ._engine._answers import Guard, guarded, problem
from ._engine._layer import Flow, middleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._engine._request import Request


@middleware
def body_limit(*, limit: int | Callable[[Request], int | None]) -> Callable[[Request], Flow]:
    """Answer 413 to bodies that are larger than a limit.

    A body that announces its size is refused before the app is called; one that does not, or lies, is cut off at the
    limit, and the app's read raises.

    Args:
        limit: bytes of body at most, or a function of the request that gives them; None for no limit.

    Raises:
        ValueError: a limit that is no number of bytes.
    """
    if not callable(limit) and (not isinstance(limit, int) or limit < 0):
        raise ValueError(f"body_limit(limit={limit!r}): write bytes, such as 10_000_000, or a function of the request")

    def flow(request: Request) -> Flow:
        most = limit(request) if callable(limit) else limit
        if most is None:
            return None
        if (request.length or 0) > most:
            return problem(request, 413, f"The body may have {most} bytes at most.", _closing(request))
        guard = Guard(_Counter(most))
        request.body.transform(guard, same=True)
        return (yield from guarded(request, guard))

    return flow


def _closing(request: Request) -> list[tuple[str, str]]:
    """Spare the rest of the body; a WSGI app may not speak of the connection (PEP 3333, "Other HTTP Features")."""
    return [("connection", "close")] if hasattr(request, "scope") else []


class _Counter:
    __slots__ = ("_limit", "_seen")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen = 0

    def feed(self, data: bytes, /) -> bytes:
        self._seen += len(data)
        if self._seen > self._limit:
            raise BadRequest(f"The body may have {self._limit} bytes at most.", 413)
        return data

    def flush(self) -> bytes:
        return b""

    finish = flush
