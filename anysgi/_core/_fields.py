"""`Headers`: one API over the header lists of both conventions (see `_header_views`); `Fields`: prepared once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, overload

from ._headers import field_name, field_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Headers(ABC):
    """The headers of one request or response, in order, duplicates kept.  Names are case-insensitive.

    Names and values are `str` (latin-1 on the wire) in both conventions.
    """

    __slots__ = ()

    @abstractmethod
    def getlist(self, name: str) -> list[str]:
        """Return every value of a field, in order; an empty list if there is none."""

    @abstractmethod
    def add(self, name: str, value: str) -> None:
        """Add a field beside those of the same name.

        Raises:
            AppValueError: the name is not a token, or the value could split the message.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Take out every field of that name, if there is one."""

    @abstractmethod
    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield (lowercased name, value) pairs."""

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a field: of a request all of it, however many lines it came in; else the first."""
        for value in self.getlist(name):
            return value
        return default

    def set(self, name: str, value: str) -> None:
        """Make `value` the only one of its field."""
        self.delete(name)
        self.add(name, value)

    def setdefault(self, name: str, value: str) -> None:
        """Add a field unless there is one of that name."""
        if self.get(name) is None:
            self.add(name, value)

    def extend(self, fields: Iterable[tuple[str, str]]) -> None:
        """Add several fields; `Fields` that were prepared once are added at once."""
        for name, value in fields:
            self.add(name, value)

    def tokens(self, name: str) -> list[str]:
        """Return the members of a comma-separated field, lowercased (RFC 9110 section 5.6.1).

        Not for fields whose members may hold quoted commas.
        """
        members = ",".join(self.getlist(name)).lower().split(",")
        return [bare for member in members if (bare := member.strip(" \t"))]

    def has_token(self, name: str, token: str) -> bool:
        """Whether a comma-separated field has that member."""
        return token.lower() in self.tokens(name)

    def vary(self, *names: str) -> None:
        """Add request header names to Vary, unless they are there (RFC 9110 section 12.5.5)."""
        present = self.tokens("vary")
        missing = [name for name in names if name.lower() not in present]
        if missing and "*" not in present:
            self.set("vary", ", ".join([*self.getlist("vary"), *missing]))

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(f"there is no {name} header; `headers.get({name!r})` is None then")
        return value

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self.delete(name)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"


class Fields:
    """Header fields that are always the same: checked and encoded once, for `headers.extend(fields)`.

    Args:
        fields: a mapping or (name, value) pairs.

    Raises:
        AppValueError: a name is not a token, or a value could split the message.
    """

    __slots__ = ("encoded", "text")

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self.text = [(str(name), str(value)) for name, value in pairs]
        self.encoded = [(field_name(name), field_value(value, name)) for name, value in self.text]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.text)

    def __repr__(self) -> str:
        return f"Fields({self.text!r})"
