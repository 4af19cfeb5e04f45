"""Header lists as both conventions keep them, read and changed in place: byte pairs, str pairs, keys of an environ.

Nothing is translated but what is asked for: the needle is encoded, never the haystack.  Values are checked on their way
in (RFC 9110 section 5.5), so that no layer can split a response.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, overload

from ._headers import ENCODED_NAMES, ENVIRON_KEYS, environ_key, field_name, field_value, headers_from_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..types import Environ, HeaderList

TextList = list[tuple[str, str]]


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
        """Return the first value of a field."""
        for value in self.getlist(name):
            return value
        return default

    def set(self, name: str, value: str) -> None:
        """Make `value` the only one of its field."""
        self.delete(name)
        self.add(name, value)

    def setdefault(self, name: str, value: str) -> None:
        """Add a field unless there is one of that name."""
        if name not in self:
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
        self.encoded = [(field_name(name), field_value(value)) for name, value in self.text]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.text)

    def __repr__(self) -> str:
        return f"Fields({self.text!r})"


class ByteHeaders(Headers):
    """ASGI's form.

    Args:
        raw: the native pairs, not to be changed.
        own: called once, before the first change; returns the list to change instead.
    """

    __slots__ = ("_own", "raw")

    def __init__(self, raw: HeaderList, own: Callable[[], HeaderList]) -> None:
        self.raw = raw
        self._own: Callable[[], HeaderList] | None = own

    def _owned(self) -> HeaderList:
        if self._own is not None:
            self.raw, self._own = self._own(), None
        return self.raw

    def getlist(self, name: str) -> list[str]:
        wanted = field_name(name)
        return [str(value, "latin-1") for field, value in self.raw if field == wanted or _same(field, wanted)]

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        wanted = ENCODED_NAMES.get(name) or field_name(name)
        for field, value in self.raw:
            if field == wanted or _same(field, wanted):
                return str(value, "latin-1")
        return default

    def add(self, name: str, value: str) -> None:
        if self._own is not None:
            self._owned()
        self.raw.append((ENCODED_NAMES.get(name) or field_name(name), field_value(value)))

    def extend(self, fields: Iterable[tuple[str, str]]) -> None:
        if isinstance(fields, Fields):
            self._owned().extend(fields.encoded)
        else:
            super().extend(fields)

    def delete(self, name: str) -> None:
        wanted = field_name(name)
        if any(_same(field, wanted) for field, _ in self.raw):
            raw = self._owned()
            raw[:] = [field for field in raw if not _same(field[0], wanted)]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([(str(name, "latin-1").lower(), str(value, "latin-1")) for name, value in self.raw])


class TextHeaders(Headers):
    """WSGI's form of a response's headers: a list of str pairs, which is this object's own."""

    __slots__ = ("raw",)

    def __init__(self, raw: TextList) -> None:
        self.raw = raw

    def getlist(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for field, value in self.raw if len(field) == len(wanted) and field.lower() == wanted]

    def add(self, name: str, value: str) -> None:
        if not (name in ENCODED_NAMES and value.isascii() and value.isprintable()):
            field_name(name)
            field_value(value)
        self.raw.append((name, value))

    def extend(self, fields: Iterable[tuple[str, str]]) -> None:
        if isinstance(fields, Fields):
            self.raw.extend(fields.text)
        else:
            super().extend(fields)

    def delete(self, name: str) -> None:
        wanted = name.lower()
        if any(field.lower() == wanted for field, _ in self.raw):
            self.raw[:] = [field for field in self.raw if field[0].lower() != wanted]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([(name.lower(), value) for name, value in self.raw])


class EnvironHeaders(Headers):
    """WSGI's form of a request's headers: one key each, repeated fields joined by the server."""

    __slots__ = ("environ",)

    def __init__(self, environ: Environ) -> None:
        self.environ = environ

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        key = ENVIRON_KEYS.get(name) or environ_key(name)
        value: str | None = self.environ.get(key)
        return default if value is None or (not value and key[:8] == "CONTENT_") else value

    def getlist(self, name: str) -> list[str]:
        key = environ_key(name)
        value = self.environ.get(key)
        return [] if value is None or (not value and key[:8] == "CONTENT_") else [value]

    def add(self, name: str, value: str) -> None:
        field_value(value)
        present = self.getlist(name)
        self.environ[environ_key(name)] = ("; " if name.lower() == "cookie" else ", ").join([*present, value])

    def delete(self, name: str) -> None:
        self.environ.pop(environ_key(name), None)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        pairs = headers_from_environ(self.environ)
        return iter([(str(name, "latin-1"), str(value, "latin-1")) for name, value in pairs])


def _same(field: bytes, wanted: bytes) -> bool:
    """Whether a name is the wanted one: apps should lowercase theirs, and not all do."""
    return len(field) == len(wanted) and field.lower() == wanted


def text_fields(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Decode an ASGI header list: names lowercased, values as native strings."""
    return [(str(name, "latin-1").lower(), str(value, "latin-1")) for name, value in headers]


def text_headers(fields: Iterable[tuple[str, str]]) -> TextHeaders:
    """Check a list of fields that a user wrote."""
    headers = TextHeaders([])
    headers.extend(fields)
    return headers


def byte_pairs(headers: Headers) -> HeaderList:
    """Encode checked headers for ASGI."""
    return [(field_name(name), field_value(value)) for name, value in headers]


def text_pairs(headers: Headers) -> TextList:
    """Write checked headers for WSGI."""
    return headers.raw if isinstance(headers, TextHeaders) else list(headers)
