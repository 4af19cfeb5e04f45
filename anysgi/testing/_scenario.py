"""`Scenario`: one request as it is on the wire, and what its client does; no app, no server, no convention yet.

A scenario that no client and server could produce is refused when it is made.  Everything else is allowed, however
odd: apps meet odd clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeVar

from ..exceptions import ScenarioError
from ._framing import uploaded, with_framing
from ._peer_events import Disconnect, Pause, PeerEvent, SendBlocks, SendFails
from ._scenario_checks import CHECKS

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
        for check in CHECKS:
            check(self)
        upload, complete = uploaded(self)
        self._set(sent_headers=with_framing(self), upload=upload, upload_complete=complete)

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
    if not isinstance(text, str):
        return bytes(text)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ScenarioError(f"text on the wire is latin-1, one byte a character; write bytes, not {text!r}") from None


def _pairs(headers: GivenHeaders) -> Headers:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((_bytes(name), _bytes(value)) for name, value in pairs)
