"""The client library a request came from: httpx2 and httpx share one API, and each wants its own classes back."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable


@cache
def async_stream(library: str) -> Any:
    """A class of the library's async streams."""

    class ResponseStream(sys.modules[library].AsyncByteStream):  # type: ignore[misc]  # known at run time
        def __init__(self, chunks: AsyncIterator[bytes], close: Callable[[], Awaitable[None]]) -> None:
            self._chunks, self._close = chunks, close

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self._chunks

        async def aclose(self) -> None:
            await self._close()

    return ResponseStream


@cache
def sync_stream(library: str) -> Any:
    """A class of the library's sync streams."""

    class ResponseStream(sys.modules[library].SyncByteStream):  # type: ignore[misc]  # known at run time
        def __init__(self, chunks: Iterator[bytes], close: Callable[[], None]) -> None:
            self._chunks, self._close = chunks, close

        def __iter__(self) -> Iterator[bytes]:
            return self._chunks

        def close(self) -> None:
            self._close()

    return ResponseStream


def library_of(request: Any) -> str:
    """`"httpx2"` or `"httpx"`."""
    return type(request).__module__.partition(".")[0]


def read_timeout(request: Any) -> float | None:
    """Seconds the client waits for the head, and for each chunk; None: for ever."""
    timeout: float | None = (request.extensions.get("timeout") or {}).get("read")
    return timeout


def timed_out(request: Any, seconds: float | None, so_far: str) -> Exception:
    """The library's own exception."""
    what = f"the app did not answer within {seconds} s: {request.method} {request.url}\n{so_far}"
    error: Exception = sys.modules[library_of(request)].ReadTimeout(what, request=request)
    return error


def body_length(request: Any) -> int | None:
    """Bytes of the request body; None for one that is made while it is sent."""
    if "transfer-encoding" in request.headers:
        return None
    return int(request.headers.get("content-length", 0))


@dataclass(frozen=True, slots=True)
class Head:
    """A client's request, in the words of a scenario."""

    method: str
    target: bytes
    sent_headers: tuple[tuple[bytes, bytes], ...]
    http_version: str
    tls: bool
    root_path: str
    client: tuple[str, int] | None
    server: tuple[str, int | None] | None


def head_of(request: Any, root_path: str, client: tuple[str, int] | None) -> Head:
    """What the client would put on the wire."""
    url = request.url
    tls = url.scheme in ("https", "wss")
    server = (url.host, url.port or (443 if tls else 80))
    return Head(request.method, url.raw_path, tuple(request.headers.raw), "1.1", tls, root_path, client, server)
