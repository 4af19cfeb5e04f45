"""How a scenario's messages are framed: the headers a client adds, the chunks that arrive before it leaves, and whether
a response is as long as its head says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._peer_events import Disconnect

if TYPE_CHECKING:
    from ._exchange import Exchange
    from ._scenario import Headers, Scenario


def is_chunked(scenario: Scenario) -> bool:
    """Whether the body comes in chunked transfer coding (RFC 9112 section 7.1), so that no length is known."""
    return any(name.lower() == b"transfer-encoding" for name, _ in scenario.headers)


def announced(scenario: Scenario) -> int | None:
    """Bytes of body that the client announces, or None where it announces none."""
    given = [value for name, value in scenario.headers if name.lower() == b"content-length"]
    if given:
        return int(given[0])
    return None if not scenario.body or is_chunked(scenario) else sum(map(len, scenario.body))


def with_framing(scenario: Scenario) -> Headers:
    names = {name.lower() for name, _ in scenario.headers}
    host = ((b"host", _host(scenario)),) if b"host" not in names and scenario.http_version != "1.0" else ()
    length = announced(scenario)
    framing = () if length is None or b"content-length" in names else ((b"content-length", b"%d" % length),)
    return (*host, *scenario.headers, *framing)


def _host(scenario: Scenario) -> bytes:
    name, port = scenario.server or ("testserver", None)
    name = "localhost" if name.startswith("/") else name
    usual = 443 if scenario.tls else 80
    return (name if port in (None, usual) else f"{name}:{port}").encode("latin-1")


def uploaded(scenario: Scenario) -> tuple[tuple[bytes, ...], bool]:
    """The chunks that arrive, and whether they are the whole body."""
    left, length, chunks = scenario.event(Disconnect), announced(scenario), scenario.body
    size = sum(map(len, chunks))
    whole = length is None or length == size
    if left is not None and left.after_chunks is not None:
        return chunks[: left.after_chunks], whole and left.after_chunks >= len(chunks)
    if left is not None and left.after_bytes is not None:
        return tuple(_cut(chunks, left.after_bytes)), whole and left.after_bytes >= size
    return chunks, whole


def _cut(chunks: tuple[bytes, ...], size: int) -> list[bytes]:
    """The chunks of the first `size` bytes."""
    kept: list[bytes] = []
    for chunk in chunks:
        if size <= 0:
            break
        kept.append(chunk[:size])
        size -= len(chunk)
    return kept


def is_whole(exchange: Exchange) -> bool:
    """Whether a response that ended has the bytes its head announces; a server cuts it off if not (RFC 9112, 6.3)."""
    length = exchange.header(b"content-length")
    if length is None or not length.isdigit() or exchange.scenario.method == "HEAD" or exchange.status in (204, 304):
        return True
    return sum(map(len, exchange.chunks)) >= int(length[:18])  # no body needs more digits
