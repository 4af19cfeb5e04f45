"""`Scenario`: one request as it is on the wire, and what its client does; no app, no server, no convention yet.

A scenario that no client and server could produce is refused when it is made.  Everything else is allowed, however
odd: apps meet odd clients.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeVar

from ..exceptions import ScenarioError
from ._peer_events import Disconnect, Pause, PeerEvent, SendBlocks, SendFails

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[\x21\x22\x24-\x7e\x80-\xff]+")  # no space, no control, no '#'
_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
_VERSIONS = ("1.0", "1.1", "2")
_NOT_IN_HTTP_2 = {b"connection", b"transfer-encoding", b"keep-alive", b"upgrade", b"proxy-connection"}

Event = TypeVar("Event", Disconnect, SendFails, SendBlocks, Pause)
Headers = tuple[tuple[bytes, bytes], ...]
GivenHeaders = Mapping[bytes, bytes] | Mapping[str, str] | Iterable[tuple[bytes, bytes]] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Scenario:
    """One request, byte for byte, and what the peer does while it is answered.  `Scenario()` is a plain GET /.

    Args:
        method: as on the wire, such as `"GET"`.
        target: the raw request target with its query, such as `b"/caf%C3%A9?a=1"`; text is taken as latin-1.
        headers: (name, value) pairs of bytes, in order, duplicates kept.  A server sees `host` and the framing
            (`content-length`) too: they are added where they are missing, see `sent_headers`.
        body: the chunks of the request body, with their boundaries; bytes count as one chunk.
        http_version: `"1.0"`, `"1.1"` or `"2"`.
        tls: whether the connection is encrypted.
        root_path: where the app is mounted, such as `"/shop"`.
        client: (address, port) of the client, or None.
        server: (name, port) the server listens on, (path, None) for a unix socket, or None.  By default port 80 or 443.
        peer: what the client does: `Disconnect`, `SendFails`, `SendBlocks`, `Pause`.
        like: the name of a server whose environ or scope to imitate, such as `"uvicorn"`; see `presets`.

    Attributes:
        sent_headers: what the app sees: `headers`, with the `host` and `content-length` a client adds.
        upload: the chunks that arrive before the client leaves.
        upload_complete: whether they are the whole body.

    Raises:
        ScenarioError: no client could send this; the message says why.
    """

    method: str = "GET"
    target: bytes = b"/"
    headers: Headers = ()
    body: tuple[bytes, ...] = ()
    http_version: str = "1.1"
    tls: bool = False
    root_path: str = ""
    client: tuple[str, int] | None = ("127.0.0.1", 50000)
    server: tuple[str, int | None] | None = ("testserver", 80)
    peer: tuple[PeerEvent, ...] = ()
    like: str | None = None
    sent_headers: Headers = field(init=False, compare=False)
    upload: tuple[bytes, ...] = field(init=False, compare=False)
    upload_complete: bool = field(init=False, compare=False)

    def __init__(
        self,
        method: str = "GET",
        target: bytes | str = b"/",
        headers: GivenHeaders = (),
        body: bytes | Iterable[bytes] = (),
        *,
        http_version: str = "1.1",
        tls: bool = False,
        root_path: str = "",
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
        server: tuple[str, int | None] | None = ("testserver", 80),
        peer: Iterable[PeerEvent] = (),
        like: str | None = None,
    ) -> None:
        self._set(method=method, target=_bytes(target), headers=_pairs(headers), peer=tuple(peer), like=like)
        self._set(body=(body,) if isinstance(body, bytes) else tuple(body))
        self._set(http_version=http_version, tls=tls, root_path=root_path, client=client and tuple(client))
        server = ("testserver", 443) if tls and server == ("testserver", 80) else server
        self._set(server=server and tuple(server))
        for check in _CHECKS:
            check(self)
        upload, complete = _uploaded(self)
        self._set(sent_headers=_with_framing(self), upload=upload, upload_complete=complete)

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def event(self, kind: type[Event], **where: int) -> Event | None:
        """The scripted event of a kind, or None; `where` picks one of several, as in `event(Pause, before_chunk=0)`."""
        for event in self.peer:
            if isinstance(event, kind) and all(getattr(event, key) == value for key, value in where.items()):
                return event
        return None

    def __repr__(self) -> str:
        """What was changed from a plain GET /, as code."""
        given = [(f.name, getattr(self, f.name), f.default) for f in fields(self) if f.init]
        changed = [(name, value) for name, value, default in given if value != default]
        return f"Scenario({', '.join(f'{name}={_written(value)}' for name, value in changed)})"


def _written(value: object) -> str:
    if isinstance(value, tuple):
        inside = ", ".join(_written(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, SendFails):
        return f"SendFails(at={value.at}, error={value.error.__name__})"
    return repr(value)


def _bytes(text: bytes | str) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else bytes(text)


def _pairs(headers: GivenHeaders) -> Headers:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((_bytes(name), _bytes(value)) for name, value in pairs)


def _chunked(scenario: Scenario) -> bool:
    """Whether the body comes in chunked transfer coding (RFC 9112 section 7.1), so that no length is known."""
    return any(name.lower() == b"transfer-encoding" for name, _ in scenario.headers)


def _length(scenario: Scenario) -> int | None:
    """Bytes of body that the client announces, or None where it announces none."""
    given = [value for name, value in scenario.headers if name.lower() == b"content-length"]
    if given:
        return int(given[0])
    return None if not scenario.body or _chunked(scenario) else sum(map(len, scenario.body))


def _with_framing(scenario: Scenario) -> Headers:
    names = {name.lower() for name, _ in scenario.headers}
    host = ((b"host", _host(scenario)),) if b"host" not in names and scenario.http_version != "1.0" else ()
    length = _length(scenario)
    framing = () if length is None or b"content-length" in names else ((b"content-length", b"%d" % length),)
    return (*host, *scenario.headers, *framing)


def _host(scenario: Scenario) -> bytes:
    name, port = scenario.server or ("testserver", None)
    name = "localhost" if name.startswith("/") else name
    usual = 443 if scenario.tls else 80
    return (name if port in (None, usual) else f"{name}:{port}").encode("latin-1")


def _uploaded(scenario: Scenario) -> tuple[tuple[bytes, ...], bool]:
    """The chunks that arrive, and whether they are the whole body."""
    left, length, chunks = scenario.event(Disconnect), _length(scenario), scenario.body
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


# What cannot exist


def _check_request_line(scenario: Scenario) -> None:
    method, target = scenario.method, scenario.target
    if not (method.isascii() and _TOKEN.fullmatch(method.encode("ascii"))):
        raise ScenarioError(f"a method is a token such as 'GET' (RFC 9110 section 9.1), not {method!r}")
    if not _TARGET.fullmatch(target):
        raise ScenarioError(
            f"a request target has no space, no control character and no '#' (RFC 9112 section 3.2), not {target!r}; "
            "percent-encode them: b'/a%20b'"
        )
    if not target.startswith(b"/") and (method, target) != ("OPTIONS", b"*"):
        raise ScenarioError(f"a target begins with '/', not {target!r}; only OPTIONS may have b'*'")
    if scenario.http_version not in _VERSIONS:
        raise ScenarioError(f"http_version is one of {', '.join(_VERSIONS)}, not {scenario.http_version!r}")
    root = scenario.root_path
    if root and (not root.startswith("/") or root.endswith("/")):
        raise ScenarioError(f"root_path is '' or begins with '/' and does not end with one, not {root!r}")


def _check_headers(scenario: Scenario) -> None:
    for name, value in scenario.headers:
        if not _TOKEN.fullmatch(name):
            raise ScenarioError(f"a header name is a token (RFC 9110 section 5.1), not {name!r}")
        if not _VALUE.fullmatch(value):
            raise ScenarioError(
                f"no header arrives with a line break, a control character or space around it: {name!r}: {value!r}"
            )
        if scenario.http_version == "2" and (name != name.lower() or name in _NOT_IN_HTTP_2):
            raise ScenarioError(f"HTTP/2 has lowercase names and no connection headers (RFC 9113 8.2): {name!r}")


def _check_framing(scenario: Scenario) -> None:
    given = [value for name, value in scenario.headers if name.lower() == b"content-length"]
    if any(not value.isdigit() or value != given[0] for value in given):
        raise ScenarioError(f"servers refuse content-length {given}: it is one number, and no other beside it")
    if given and _chunked(scenario):
        raise ScenarioError("a body has a content-length or is chunked, never both (RFC 9112 section 6.2)")
    if _chunked(scenario) and scenario.http_version == "1.0":
        raise ScenarioError("HTTP/1.0 has no chunked bodies")
    size, leaves = sum(map(len, scenario.body)), scenario.event(Disconnect)
    if given and size > int(given[0]):
        raise ScenarioError(f"content-length says {int(given[0])}, the body has {size} bytes: servers cut it there")
    if given and size < int(given[0]) and (leaves is None or leaves.after_messages is not None):
        raise ScenarioError(
            f"content-length says {int(given[0])}, the body has {size} bytes: the server waits for the rest until the "
            f"client leaves; add peer=[Disconnect(after_bytes={size})]"
        )


def _check_peer(scenario: Scenario) -> None:
    kinds = [type(event) for event in scenario.peer]
    if strange := [event for event in scenario.peer if not isinstance(event, PeerEvent)]:
        raise ScenarioError(f"a peer disconnects, pauses, fails or blocks; it cannot {strange[0]!r}")
    if kinds.count(Disconnect) > 1 or kinds.count(SendFails) > 1:
        raise ScenarioError("a client leaves once: only one Disconnect and one SendFails")
    for event in scenario.peer:
        if isinstance(event, Pause) and not 0 <= event.before_chunk < len(scenario.body):
            raise ScenarioError(f"{event!r}, but the body has {len(scenario.body)} chunks")
        if isinstance(event, Disconnect):
            if (event.after_chunks or 0) > len(scenario.body):
                raise ScenarioError(f"{event!r}, but the body has {len(scenario.body)} chunks")
            if (event.after_bytes or 0) > sum(map(len, scenario.body)):
                raise ScenarioError(f"{event!r}, but the body has {sum(map(len, scenario.body))} bytes")


def _check_like(scenario: Scenario) -> None:
    if scenario.like is not None:
        from ._presets import preset

        known = preset(scenario.like)
        habits = [way for way in (known.wsgi, known.asgi) if way is not None]
        if all(way.upload == "buffered" for way in habits) and not _uploaded(scenario)[1]:
            raise ScenarioError(
                f"{scenario.like} reads an upload to its end before it calls the app: nobody would know"
            )


_CHECKS = (_check_request_line, _check_headers, _check_framing, _check_peer, _check_like)
