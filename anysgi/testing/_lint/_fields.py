"""A list of ASGI headers as the rules see it: looked at once, asked many times."""

from __future__ import annotations

from typing import Any

from ._values import is_pair_of_bytes, is_token

_TOKEN_BYTES = bytes(code for code in range(128) if is_token(chr(code)))


class Fields:
    """The well-formed pairs of a header list; what else is in it is somebody else's finding.

    Args:
        headers: whatever was given as headers.

    Attributes:
        pairs: the pairs of bytes.
        names: their names in lowercase.
    """

    __slots__ = ("names", "pairs")

    def __init__(self, headers: Any = ()) -> None:
        self.pairs = [item for item in headers if is_pair_of_bytes(item)] if isinstance(headers, (list, tuple)) else []
        self.names = [name.lower() for name, _ in self.pairs]

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

    def not_lowercase(self) -> bytes | None:
        """The first name that is not lowercase."""
        given = [name for name, _ in self.pairs]
        found = (
            [] if given == self.names else [name for name, low in zip(given, self.names, strict=True) if name != low]
        )
        return found[0] if found else None

    def pseudo(self) -> bytes | None:
        """The first pseudo header's name."""
        found = [name for name in self.names if name[:1] == b":"]
        return found[0] if found else None

    def no_token(self) -> bytes | None:
        """The first name that can be no header's."""
        if not b"".join(self.names).translate(None, _TOKEN_BYTES) and b"" not in self.names:
            return None
        found = [name for name in self.names if not is_token(name) and name[:1] != b":"]
        return found[0] if found else None

    def splitting(self) -> tuple[bytes, bytes] | None:
        """The first header whose value would split the response."""
        everything = b"".join([value for _, value in self.pairs])
        if b"\r" not in everything and b"\n" not in everything and b"\0" not in everything:
            return None
        return next(((n, v) for n, v in self.pairs if b"\r" in v or b"\n" in v or b"\0" in v), None)


NO_FIELDS = Fields()
