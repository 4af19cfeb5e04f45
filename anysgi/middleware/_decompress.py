"""`decompress`: request bodies with a Content-Encoding, decoded for the app, inside bounds (RFC 9110 section 8.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._decoders import Decoder, usable_members
from ._engine._answers import Guard, guarded, problem
from ._engine._layer import Flow, middleware
from ._names import several

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._engine._request import Request


@middleware
def decompress(
    *,
    codings: Sequence[str] = ("gzip", "deflate", "br", "zstd"),
    max_size: int = 16_777_216,
    ratio: float = 100.0,
    collect: bool = True,
) -> Callable[[Request], Flow]:
    """Decode request bodies; the app sees neither Content-Encoding nor the length of what was sent.

    A body that is broken or breaks off is answered 400, one that grows beyond the bounds 413, one in another coding 415
    with an Accept-Encoding that names those that are understood (RFC 9110 section 15.5.16).

    Args:
        codings: those to accept; the ones whose library is missing are left out.  Empty: every coding is refused.
        max_size: bytes of decoded body at most.
        ratio: decoded bytes a byte of body may stand for, once 64 KiB are decoded; a body of zeros reaches 1,000.
        collect: under WSGI, decode all of a body before the app is called, and tell the app its length: Django, Falcon
            and Bottle take a body without one for none.  False hands it on piece by piece, as ASGI always does.

    Raises:
        ValueError: a coding nobody knows, or none that could be used.
    """
    usable = tuple(dict.fromkeys(map(_plain, usable_members(tuple(several(codings))))))

    def flow(request: Request) -> Flow:
        named = [coding for coding in request.headers.tokens("content-encoding") if coding != "identity"]
        if not named:
            return None
        if len(named) > 1 or _plain(named[0]) not in usable:
            detail = f"The body's Content-Encoding is none of {', '.join(usable)}."
            return problem(request, 415, detail, [("accept-encoding", ", ".join(usable))])
        request.headers.delete("content-encoding")
        guard = Guard(Decoder(_plain(named[0]), room=max_size, ratio=ratio))
        request.body.transform(guard)
        if collect:
            request.body.collect()
        return (yield from guarded(request, guard))

    return flow


def _plain(coding: str) -> str:
    """A coding's own name: x-gzip is gzip (RFC 9110 section 8.4.1.3)."""
    return coding.removeprefix("x-")
