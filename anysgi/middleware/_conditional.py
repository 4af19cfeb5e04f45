"""`conditional`: 304 for what the client has, 412 for what it does not expect (RFC 9110 section 13)."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from ._engine._answers import problem
from ._engine._layer import Flow, middleware
from ._preconditions import failed_precondition

if TYPE_CHECKING:
    from ._engine._request import Request
    from ._engine._response import Response

# What describes a body that is not sent; all else stays, for caches to learn of new values (RFC 9110 section 15.4.5).
_OF_A_BODY = (
    *("content-length", "content-type", "content-encoding", "content-language", "content-range"),
    "content-digest",  # of the content that is sent (RFC 9530 section 2), which is none
)


@middleware(peek=True)
def conditional(request: Request, *, etag: bool = True, max_size: int = 1_048_576) -> Flow:
    """Evaluate the preconditions of GET and HEAD against the response's ETag and Last-Modified.

    The app runs all the same: what is saved is the transfer.  Preconditions of other methods are the app's, as they
    must be judged before anything is changed.

    Args:
        etag: make an ETag for bodies that have none and are at hand in one piece; a stream is never collected for it.
        max_size: bytes of body up to which one is made.
    """
    response: Response = yield request
    if request.method not in ("GET", "HEAD") or response.status != 200:
        return None
    headers = response.headers
    whole = response.body.whole
    if etag and whole and len(whole) <= max_size and "etag" not in headers and _may_be_stored(response):
        headers.set("etag", f'"{blake2b(whole, digest_size=16).hexdigest()}"')
    status = failed_precondition(request.headers.get, headers.get("etag"), headers.get("last-modified"))
    if status == 412:
        return problem(request, 412, "The resource is not in the state the request expects.")
    if status == 304:
        response.status = 304
        for name in _OF_A_BODY:
            headers.delete(name)
    return None


def _may_be_stored(response: Response) -> bool:
    return not response.headers.has_token("cache-control", "no-store")
