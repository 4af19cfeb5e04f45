"""Small questions about values, asked by the rules of both conventions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeGuard

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
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


@lru_cache(maxsize=1024)
def is_token(name: str | bytes) -> bool:
    """Whether it can be a header's name."""
    return _TOKEN.fullmatch(name if isinstance(name, str) else name.decode("latin-1")) is not None


def has_control(text: str) -> bool:
    """Whether it holds a control character, DEL included."""
    return _CONTROL.search(text) is not None


def is_wide(text: str) -> bool:
    """Whether it holds a character above U+00FF, which stands for no byte."""
    return not text.isascii() and max(text) > "\xff"


def is_one_shot(value: object) -> bool:
    """Whether looking at it would use it up: a generator, a map, an iterator."""
    return hasattr(value, "__next__")


def wrong_pairs(headers: Any, good: int) -> str | None:
    """Say what is wrong with an ASGI header list, in which `good` items are lists or tuples of two bytes."""
    if isinstance(headers, (dict, str, bytes)) or not hasattr(headers, "__iter__"):
        return f"headers is {shown(headers)}, not a list of [name, value] pairs"
    if is_one_shot(headers) or (hasattr(headers, "__len__") and len(headers) == good):
        return None
    strange = next((item for item in headers if not is_pair_of_bytes(_as_tuple(item))), None)
    return None if strange is None else f"the header {shown(strange)} is not a pair of bytes"


def _as_tuple(item: Any) -> Any:
    """Two-item iterables of any kind are pairs; text and bytes iterate, but are none."""
    if isinstance(item, (tuple, list)):
        return item
    if is_one_shot(item):
        return (b"", b"")  # looking would use it up
    return None if isinstance(item, (str, bytes)) or not hasattr(item, "__iter__") else tuple(item)


def is_joined_cookie(value: str) -> bool:
    """Whether two cookies were joined with a comma."""
    return _JOINED_COOKIE.search(value) is not None
