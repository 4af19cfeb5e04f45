"""`compress`: response bodies in the coding the client likes best (RFC 9110 sections 8.4, 12.5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._encoders import ENCODERS, IDENTITY, choose_coding, usable_codings, usable_levels
from ._engine._dual import Dual
from ._engine._layer import Flow, middleware
from ._media_types import type_judge
from ._names import several
from ._padding import MOST, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ._encoders import Encoder
    from ._engine._request import Request
    from ._engine._response import Response

COMPRESSIBLE = (
    "text/*",
    "application/json",
    "application/javascript",
    "application/xml",
    "application/*+json",
    "application/*+xml",
    "application/x-ndjson",
    "application/openmetrics-text",
    "application/wasm",
    "application/vnd.ms-fontobject",
    "font/ttf",
    "font/otf",
    "image/svg+xml",
    "image/bmp",
)
"""Media types that get smaller; most others are compressed already."""


# What would say something false of the compressed body.
_OF_PLAIN_BYTES = ("accept-ranges", "content-digest", "repr-digest")


@middleware(peek=True, outside=["conditional", "idempotency"])
def compress(
    *,
    codings: Sequence[str] = ("zstd", "br", "gzip"),
    levels: Mapping[str, int] | None = None,
    minimum_size: int = 500,
    types: Sequence[str] = COMPRESSIBLE,
    padding: int = 0,
    thread_from: int | None = None,
) -> Callable[[Request], Flow]:
    """Compress response bodies.

    Left as they are: bodies that have a Content-Encoding, a Content-Range, `Cache-Control: no-transform`, a digest
    that follows as a trailer, a status of 204, 206 or 304, another media type, or fewer bytes than `minimum_size`, and
    files the server sends by itself.  An app that sets `Content-Encoding: identity` keeps one response out, say one
    that repeats a secret beside what the client sent (BREACH), and `padding` makes such an attack costly.

    Each piece of a stream is decodable when it arrives.  An ETag becomes weak (RFC 9110 section 8.8.1), Accept-Ranges
    goes, Vary names Accept-Encoding wherever the decision could have been another.

    Args:
        codings: in your order of preference, which decides where the client likes several alike; those whose library is
            missing are left out (`zstd` and `br` come with the extra `compression`).
        levels: level by coding, instead of zstd 3, br 4, gzip 6.
        minimum_size: bytes below which a body of known size is left as it is.
        types: media types to compress; `*` stands for any characters.
        padding: bytes, chosen by chance up to this number, by which a body becomes longer, at most 256; they are no
            content, and decoders pass over them.
        thread_from: bytes of a body at hand in one piece from which it is compressed in a worker thread under ASGI, so
            that the event loop goes on meanwhile (1 MiB takes some 30 ms).  None: never.

    Raises:
        ValueError: a coding nobody knows, none that could be used, a level it does not have, or too much padding.
    """
    if not 0 <= padding <= MOST:
        raise ValueError(f"compress(padding={padding}): write up to {MOST} bytes, such as 100, or 0")
    usable = usable_codings(tuple(several(codings)))
    chosen_levels = usable_levels(usable, levels or {})
    is_compressible = type_judge(types)

    def flow(request: Request) -> Flow:
        response: Response = yield request
        headers = response.headers
        if headers.get("content-encoding") == IDENTITY:
            headers.delete("content-encoding")
            return
        weak = _weak(headers.get("etag"))
        if response.status == 304 and weak and weak in request.headers.get("if-none-match", ""):
            headers.set("etag", weak)  # the client has the compressed one
            headers.vary("accept-encoding")
        if not _is_eligible(response, minimum_size) or not is_compressible(headers.get("content-type", "")):
            return
        headers.vary("accept-encoding")
        coding = choose_coding(request.headers.get("accept-encoding"), usable)
        if coding == IDENTITY:
            return
        headers.set("content-encoding", coding)
        for name in _OF_PLAIN_BYTES:
            headers.delete(name)
        if weak:
            headers.set("etag", weak)
        encoder = ENCODERS[coding](chosen_levels[coding])
        if padding:
            encoder = padded(coding, encoder, padding)
        if thread_from is not None and (whole := response.body.whole) is not None and len(whole) >= thread_from:
            result: bytes = yield _encoded(encoder, whole)
            response.body.transform(_Collecting(lambda _: b"", lambda: result))
        elif response.length is None:
            response.body.transform(encoder)
        else:
            response.body.transform(_Collecting(encoder.feed, encoder.finish))

    return flow


def _weak(etag: str | None) -> str | None:
    return etag if etag is None or etag.startswith("W/") else f"W/{etag}"


def _is_eligible(response: Response, minimum_size: int) -> bool:
    headers = response.headers
    length = response.length
    return not (
        response.status in (204, 206, 304)
        or response.body.is_file
        or (length is not None and length < minimum_size)
        or "content-encoding" in headers
        or "content-range" in headers
        or headers.has_token("cache-control", "no-transform")
        or not set(headers.tokens("trailer")).isdisjoint(_OF_PLAIN_BYTES)
    )


class _Collecting:
    """An encoder for a body whose end is known to come: nobody waits for its pieces, so none is forced out."""

    __slots__ = ("feed", "finish")

    def __init__(self, feed: Callable[[bytes], bytes], finish: Callable[[], bytes]) -> None:
        self.feed = feed
        self.finish = finish

    def flush(self) -> bytes:
        return b""


def _encode(encoder: Encoder, body: bytes) -> bytes:
    return encoder.feed(body) + encoder.finish()


async def _aencode(encoder: Encoder, body: bytes) -> bytes:
    from anyio.to_thread import run_sync

    return await run_sync(_encode, encoder, body)


_encoded = Dual(sync=_encode, asynchronous=_aencode)
