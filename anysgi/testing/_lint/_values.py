"""Small questions about values, asked by the rules of both conventions."""

from __future__ import annotations

import re
from typing import Any, TypeGuard

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
BYTE_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_JOINED_COOKIE = re.compile(r",\s*[!#$%&'*+\-.^_`|~0-9A-Za-z]+=")  # a date's comma is followed by a day, without '='
_SHOWN = 80


def shown(value: object) -> str:
    """A value for a message, not longer than a line."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def not_a(kind: type | tuple[type, ...], value: object, name: str, expected: str) -> str | None:
    """Say that a value is of the wrong type, if it is."""
    return None if isinstance(value, kind) else f"{name} is {shown(value)}, not {expected}"


def is_pair_of_bytes(item: Any) -> TypeGuard[tuple[bytes, bytes]]:
    """Whether it is a two-item list or tuple of bytes."""
    return isinstance(item, (tuple, list)) and len(item) == 2 and type(item[0]) is bytes and type(item[1]) is bytes


def is_one_shot(value: object) -> bool:
    """Whether looking at it would use it up: a generator, a map, an iterator."""
    return hasattr(value, "__next__")


def byte_pairs(headers: Any) -> list[tuple[bytes, bytes]]:
    """The well-formed pairs of an ASGI header list; others are somebody else's finding."""
    if isinstance(headers, (list, tuple)):
        return [item for item in headers if is_pair_of_bytes(item)]
    return []


def wrong_pairs(headers: Any) -> str | None:
    """Say what is wrong with an ASGI header list: no iterable, or not of pairs of bytes."""
    if isinstance(headers, (dict, str, bytes)) or not hasattr(headers, "__iter__"):
        return f"headers is {shown(headers)}, not a list of [name, value] pairs"
    if is_one_shot(headers):
        return None
    strange = next((item for item in headers if not is_pair_of_bytes(_as_tuple(item))), None)
    return None if strange is None else f"the header {shown(strange)} is not a pair of bytes"


def _as_tuple(item: Any) -> Any:
    """Two-item iterables of any kind are pairs; text and bytes iterate, but are none."""
    if isinstance(item, (tuple, list)):
        return item
    return None if isinstance(item, (str, bytes)) or not hasattr(item, "__iter__") else tuple(item)


def is_joined_cookie(value: str) -> bool:
    """Whether two cookies were joined with a comma."""
    return _JOINED_COOKIE.search(value) is not None


def count(pairs: list[tuple[bytes, bytes]], name: bytes) -> int:
    """How often a lowercase header name occurs."""
    return sum(key.lower() == name for key, _ in pairs)


def first(pairs: list[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of a lowercase header name."""
    return next((value for key, value in pairs if key.lower() == name), None)


def declared_length(pairs: list[tuple[bytes, bytes]]) -> int | None:
    """Bytes that Content-Length promises, None where it promises nothing readable."""
    value = first(pairs, b"content-length")
    return int(value) if value is not None and value.isdigit() and len(value) < 19 else None
