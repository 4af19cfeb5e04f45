"""Header lists as both conventions keep them, read and changed in place: byte pairs, str pairs, keys of an environ.

Nothing is translated but what is asked for: the needle is encoded, never the haystack.  Values are checked on their way
in (RFC 9110 section 5.5), so that no layer can split a response.  Views are made for every request, and so by functions
(`byte_headers`, `text_headers`, `environ_headers`): a class with an `__init__` costs twice as much to call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from ._fields import Fields, Headers
from ._headers import ENCODED_NAMES, encoded_name, field_name, field_value, headers_from_environ, separator
from ._one_header import environ_key, known_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..types import Environ, HeaderList

TextList = list[tuple[str, str]]


class ByteHeaders(Headers):
    """ASGI's form.

    Attributes:
        raw: the native pairs.
        is_own: they are a list of ours by now, made before the first change.
    """

    __slots__ = ("is_own", "raw")

    raw: HeaderList
    is_own: bool

    def _owned(self) -> HeaderList:
        if not self.is_own:
            self.raw, self.is_own = list(self.raw), True
        return self.raw

    def getlist(self, name: str) -> list[str]:
        wanted = field_name(name)
        return [str(value, "latin-1") for field, value in self.raw if _same(field, wanted)]

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        wanted = encoded_name(name) or field_name(name)
        size = len(wanted)
        for field, value in self.raw:
            if len(field) == size and (field == wanted or field.lower() == wanted):
                return value.decode("latin-1")
        return default

    def add(self, name: str, value: str) -> None:
        field = encoded_name(name) or field_name(name)
        plain = type(value) is str and value.isascii() and value.isprintable()
        encoded = value.encode() if plain else field_value(value, name)
        if not self.is_own:
            self.raw, self.is_own = list(self.raw), True
        self.raw.append((field, encoded))

    def extend(self, fields: Iterable[tuple[str, str]]) -> None:
        if type(fields) is Fields:
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


class ScopeHeaders(ByteHeaders):
    """ASGI's form of a request's headers: a field that is repeated reads as one, as a WSGI server would join it.

    So a layer sees the same in both conventions, and not just what somebody put first (RFC 9110 section 5.3; HTTP/2
    sends a field for each cookie, RFC 9113 section 8.2.3).
    """

    __slots__ = ()

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        wanted = encoded_name(name) or field_name(name)
        size = len(wanted)
        found: bytes | None = None
        for field, value in self.raw:
            if len(field) == size and (field == wanted or field.lower() == wanted):
                found = value if found is None else separator(environ_key(name)).encode().join((found, value))
        return default if found is None else found.decode("latin-1")


class TextHeaders(Headers):
    """WSGI's form of a response's headers: a list of str pairs, which is this object's own."""

    __slots__ = ("raw",)

    raw: TextList

    def getlist(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for field, value in self.raw if len(field) == len(wanted) and field.lower() == wanted]

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        wanted = name.lower()
        size = len(wanted)
        for field, value in self.raw:
            if len(field) == size and field.lower() == wanted:
                return value
        return default

    def add(self, name: str, value: str) -> None:
        if not (name in ENCODED_NAMES and type(value) is str and value.isascii() and value.isprintable()):
            field_name(name)
            field_value(value, name)
        self.raw.append((name, value))

    def extend(self, fields: Iterable[tuple[str, str]]) -> None:
        if type(fields) is Fields:
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

    environ: Environ

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        key = known_key(name) or environ_key(name)
        value: str | None = self.environ.get(key)
        return value if value or (value is not None and key[:8] != "CONTENT_") else default

    def getlist(self, name: str) -> list[str]:
        value = self.get(name)
        return [] if value is None else [value]

    def add(self, name: str, value: str) -> None:
        field_value(value, name)
        key = environ_key(name)
        self.environ[key] = separator(key).join([*self.getlist(name), value])

    def delete(self, name: str) -> None:
        self.environ.pop(environ_key(name), None)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        pairs = headers_from_environ(self.environ)
        return iter([(str(name, "latin-1"), str(value, "latin-1")) for name, value in pairs])


def byte_headers(raw: HeaderList) -> ByteHeaders:
    """View an ASGI header list, which is copied before the first change."""
    headers = ByteHeaders()
    headers.raw = raw
    headers.is_own = False
    return headers


def text_headers(raw: TextList) -> TextHeaders:
    """View a WSGI header list, which is changed in place."""
    headers = TextHeaders()
    headers.raw = raw
    return headers


def environ_headers(environ: Environ) -> EnvironHeaders:
    """View the request headers of an environ, which is changed in place."""
    headers = EnvironHeaders()
    headers.environ = environ
    return headers


def _same(field: bytes, wanted: bytes) -> bool:
    """Whether a name is the wanted one: apps should lowercase theirs, and not all do."""
    return len(field) == len(wanted) and field.lower() == wanted


def text_fields(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Decode an ASGI header list: names lowercased, values as native strings."""
    return [(str(name, "latin-1").lower(), str(value, "latin-1")) for name, value in headers]


def checked_headers(fields: Iterable[tuple[str, str]]) -> TextHeaders:
    """Check a list of fields that a user wrote."""
    headers = text_headers([])
    headers.extend(fields)
    return headers


def byte_pairs(headers: Headers) -> HeaderList:
    """Encode checked headers for ASGI."""
    return [(field_name(name), field_value(value, name)) for name, value in headers]


def text_pairs(headers: Headers) -> TextList:
    """Write checked headers for WSGI."""
    return headers.raw if isinstance(headers, TextHeaders) else list(headers)
