"""Who is asking, and which part of a percentage that puts them in.

One client always falls into the same bucket, on every host and for every route, so that the first 5 % see a whole new
site and not a mixture.  Raising a percentage keeps everybody who was in.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING
from zlib import crc32

from .._core._one_header import header_in_environ, header_in_scope

if TYPE_CHECKING:
    from ..types import Environ, Scope
    from ._table import Sticky


def bucket_in_environ(environ: Environ, sticky: Sticky | None) -> float:
    """Return where a request stands in 0 <= x < 100; by lot if nothing is to tell clients apart.

    A client without the cookie or header is known by its address: its first request has none yet.
    """
    if sticky is None:
        return random.random() * 100
    header = header_in_environ(environ, sticky.header) if sticky.header else ""
    return _bucket_of(sticky, header, environ.get("REMOTE_ADDR"))


def bucket_in_scope(scope: Scope, sticky: Sticky | None) -> float:
    """Return where a request stands in 0 <= x < 100; by lot if nothing is to tell clients apart.

    A client without the cookie or header is known by its address: its first request has none yet.
    """
    if sticky is None:
        return random.random() * 100
    header = header_in_scope(scope, sticky.header) if sticky.header else ""
    return _bucket_of(sticky, header, (scope.get("client") or ("",))[0])


def _bucket_of(sticky: Sticky, header: str, address: object) -> float:
    key = cookie_value(header, sticky.name) if sticky.kind == "cookie" else header
    return bucket(key or str(address or ""))


def cookie_value(header: str, name: str) -> str:
    """A cookie's value as it was sent: it is only compared, never read (RFC 6265 section 4.2.1)."""
    for pair in header.split(";"):
        if name in pair:  # a browser sends many others
            key, _, value = pair.partition("=")
            if key.strip() == name:
                return value.strip()
    return ""


def bucket(key: str) -> float:
    """Map a text to 0 <= x < 100: evenly, and everywhere the same."""
    return crc32(key.encode("utf-8", "surrogatepass")) * (100 / 2**32)
