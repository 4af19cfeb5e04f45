"""The value of a Host header, taken apart and compared (RFC 9110 section 7.2, RFC 3986 section 3.2)."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, NamedTuple

from .._core._headers import latin1
from .._core._paths import visible
from ._names import several

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._engine._request import Request

# What DNS names, IPv4 addresses and the names of containers are made of; a bracket opens an IPv6 address.
_AUTHORITY = re.compile(r"(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[(?P<six>[0-9a-f:.]+)\])(?::(?P<port>\d{1,5}))?")
_LONGEST = 253 + 6  # bytes: a DNS name, and a port


class Host(NamedTuple):
    """A host and its port, in one spelling: lower case, no dot at the end, IPv6 compressed, in brackets."""

    name: str
    port: int | None

    def __str__(self) -> str:
        return self.name if self.port is None else f"{self.name}:{self.port}"


def parse_host(value: str | None) -> Host | None:
    """Take `value` apart; None if it is no host with an optional port."""
    if not value or len(value) > _LONGEST:
        return None
    found = _AUTHORITY.fullmatch(value.lower())
    if found is None:
        return None
    name, six, port = found.group("name", "six", "port")
    if six is not None:
        try:
            name = f"[{IPv6Address(six).compressed}]"
        except ValueError:
            return None
    if port is not None and int(port) > 65_535:
        return None
    return Host(name.removesuffix("."), int(port) if port else None)


def moved(request: Request, scheme: str, host: Host) -> str:
    """The URL of a request's target at another host, fit for a Location: its path must begin with a slash."""
    query = visible(latin1(request.query))
    return f"{scheme}://{host}{request.raw_path}{query and f'?{query}'}"


class HostPatterns:
    """Hosts an operator named: `example.com`, `example.com:8443`, `*.example.com` (not `example.com` itself), `[::1]`.

    A pattern without a port takes any port.

    Raises:
        ValueError: a pattern that can match no host.
    """

    __slots__ = ("_exact", "_suffixes", "every")

    def __init__(self, patterns: Iterable[str]) -> None:
        self.every = False
        self._exact: set[Host] = set()
        self._suffixes: set[Host] = set()
        for pattern in several(patterns):
            self._add(pattern)

    def _add(self, pattern: str) -> None:
        if pattern == "*":
            self.every = True
            return
        host = parse_host(pattern.removeprefix("*."))
        if host is None:
            raise ValueError(
                f"{pattern!r} is no host; write 'example.com', '*.example.com', '[::1]' or 'localhost:8000'"
            )
        (self._suffixes if pattern.startswith("*.") else self._exact).add(host)

    def __contains__(self, host: Host) -> bool:
        if self.every or host in self._exact or Host(host.name, None) in self._exact:
            return True
        parent = host.name.partition(".")[2] if self._suffixes else ""
        while parent:
            if Host(parent, host.port) in self._suffixes or Host(parent, None) in self._suffixes:
                return True
            parent = parent.partition(".")[2]
        return False
