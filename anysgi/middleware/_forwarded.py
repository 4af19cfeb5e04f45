"""What proxies say of a request: `X-Forwarded-*`, or `Forwarded` (RFC 7239), never both.

Each proxy appends what it saw, so the lists are read from the right, and only as far as the proxies are trusted: what
stands further left, anybody may have written.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from ._names import several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MOST = 100  # elements of a list worth looking at
_WIDEST = 1_024  # bytes of an element worth looking at


class Seen(NamedTuple):
    """What one proxy saw of its peer; what it did not mention is empty."""

    address: str = ""
    port: int = 0
    proto: str = ""
    host: str = ""
    prefix: str = ""

    def over(self, nearer: Seen) -> Seen:
        """This, and for what it does not mention, what the nearer proxy said."""
        address, port = (self.address, self.port) if self.address else (nearer.address, nearer.port)
        return Seen(address, port, self.proto or nearer.proto, self.host or nearer.host, self.prefix or nearer.prefix)


def split_node(node: str) -> tuple[str, int]:
    """Split `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1` into address and port, 0 if there is none.

    An obfuscated identifier (RFC 7239 section 6.3) is an address too, `unknown` is none.
    """
    node = node.strip()
    if node.startswith("["):
        address, _, rest = node[1:].partition("]")
        port = rest.removeprefix(":")
    elif node.count(":") == 1:
        address, _, port = node.partition(":")
    else:
        address, port = node, ""
    if (
        not address.isascii()
        or address.lower() in ("", "unknown")
        or not all(c.isalnum() or c in ".:_-%" for c in address)
    ):
        return "", 0
    is_port = port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65_536
    return address, int(port) if is_port else 0


def x_forwarded(get: Callable[[str], str | None]) -> list[Seen]:
    """Read `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `-Prefix`, the nearest proxy first.

    Of the last four only the nearest value counts: some proxies append to them and others pass them on, so what stands
    further left cannot be told from a forgery.
    """
    proto, host, port, prefix = (
        (_items(get(f"x-forwarded-{part}")) or [""])[-1] for part in ("proto", "host", "port", "prefix")
    )
    if host and port.isdigit() and ":" not in host.rpartition("]")[2]:
        host = f"{host}:{port}"
    nodes = [split_node(item) for item in _items(get("x-forwarded-for"))[::-1]] or [("", 0)]
    nearest = Seen(*nodes[0], proto.lower(), host, prefix)
    return [nearest, *(Seen(*node) for node in nodes[1:])]


def _items(value: str | None) -> list[str]:
    return [item.strip() for item in value.split(",")[-_MOST:]] if value else []


def forwarded(get: Callable[[str], str | None]) -> list[Seen]:
    """Read `Forwarded` (RFC 7239 section 4), the nearest proxy first."""
    from werkzeug.http import parse_options_header

    elements = []
    for element in _split_quoted(get("forwarded") or "")[-_MOST:]:
        _, pairs = parse_options_header(f"element; {element}" if len(element) <= _WIDEST else "")
        address, port = split_node(pairs.get("for", ""))
        elements.append(Seen(address, port, pairs.get("proto", "").lower(), pairs.get("host", "")))
    return elements[::-1]


def _split_quoted(value: str) -> list[str]:
    """Split at the commas that stand outside of quoted strings."""
    parts, quoted, escaped, start = [], False, False, 0
    for i, c in enumerate(value):
        if escaped:
            escaped = False
        elif c == "\\":
            escaped = quoted
        elif c == '"':
            quoted = not quoted
        elif c == "," and not quoted:
            parts.append(value[start:i])
            start = i + 1
    return [part for part in [*parts, value[start:]] if part.strip()]


class Networks:
    """The proxies an operator trusts, by address: `10.0.0.0/8`, `::1`, `*`, and `unix` for a peer without an address.

    Raises:
        ValueError: what is neither an address nor a network.
    """

    __slots__ = ("_every", "_networks", "_unix")

    def __init__(self, trusted: Iterable[str]) -> None:
        named = set(several(trusted))
        self._every = "*" in named
        self._unix = "unix" in named
        self._networks = [ip_network(name) for name in named - {"*", "unix"}]

    def __contains__(self, address: str) -> bool:
        if self._every:
            return True
        if not address:
            return self._unix
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in network for network in self._networks)


def outermost(chain: list[Seen], peer: str, networks: Networks) -> Seen:
    """Follow `chain` outwards as long as whoever wrote an element is trusted, and put together what they say.

    Args:
        chain: what proxies saw, the nearest first.
        peer: address of the server's own peer, empty for a unix socket.

    Returns:
        The client as the outermost trusted proxy saw it; what that one did not mention, a nearer one may have.
    """
    view, writer = Seen(), peer
    for seen in chain:
        if writer not in networks:
            break
        view = seen.over(view)
        if not seen.address:
            break
        writer = seen.address
    return view
