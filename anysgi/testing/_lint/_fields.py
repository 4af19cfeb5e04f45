"""A list of ASGI headers as the rules see it: looked at once, asked many times."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ._values import is_pair_of_bytes, is_token

_PAIRS = frozenset([tuple, list])  # nothing else can be looked at without using it up
_SPLITS = re.compile(rb"[\r\n\0]")


class Fields:
    """The well-formed pairs of a header list; what else is in it is somebody else's finding.

    Args:
        headers: whatever was given as headers.

    Attributes:
        pairs: the pairs of bytes.
        names: their names in lowercase.
        not_lowercase: the first name that is not lowercase.
        pseudo: the first pseudo header's name.
        no_token: the first name that can be no header's.
        splitting: the first header whose value would split the response.
    """

    __slots__ = ("names", "no_token", "not_lowercase", "pairs", "pseudo", "splitting")

    def __init__(self, headers: Any = ()) -> None:
        self.pairs = [item for item in headers if is_pair_of_bytes(item)] if isinstance(headers, (list, tuple)) else []
        self.names = [name.lower() for name, _ in self.pairs]
        self.not_lowercase = next((n for (n, _), low in zip(self.pairs, self.names, strict=True) if n != low), None)
        self.pseudo = next((name for name in self.names if name[:1] == b":"), None)
        self.no_token = next((name for name in self.names if not is_token(name) and name[:1] != b":"), None)
        self.splitting = next((pair for pair in self.pairs if _SPLITS.search(pair[1])), None)

    def values(self, name: bytes) -> list[bytes]:
        """All values of a lowercase name."""
        if name not in self.names:
            return []
        return [value for key, (_, value) in zip(self.names, self.pairs, strict=True) if key == name]

    @property
    def length(self) -> int | None:
        """Bytes that Content-Length promises; None where it promises nothing readable."""
        if b"content-length" not in self.names:
            return None
        value = self.values(b"content-length")[0]
        return int(value) if value.isdigit() and len(value) < 19 else None


NO_FIELDS = Fields()


def fields_of(headers: Any) -> Fields:
    """What a header list holds; one that was looked at lately is not looked at again."""
    if type(headers) is not list or not _PAIRS.issuperset(map(type, headers)):
        return Fields(headers)
    try:
        return _looked_at(tuple(map(tuple, headers)))
    except TypeError:  # something in it cannot be hashed
        return Fields(headers)


@lru_cache(maxsize=64)
def _looked_at(headers: tuple[tuple[Any, ...], ...]) -> Fields:
    return Fields(headers)
