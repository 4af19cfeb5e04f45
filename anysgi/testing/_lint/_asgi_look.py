"""What the rules about messages need to know of the connection they belong to."""

from __future__ import annotations

from typing import Any

from ._fields import NO_FIELDS, fields_of

KNOWN_EXTENSIONS = {
    "http.response.push": ("http.response.push",),
    "http.response.zerocopysend": ("http.response.zerocopysend",),
    "http.response.pathsend": ("http.response.pathsend",),
    "http.response.early_hint": ("http.response.early_hint",),
    "http.response.trailers": ("http.response.trailers",),
    "http.response.debug": ("http.response.debug",),
    "websocket.http.response": ("websocket.http.response.start", "websocket.http.response.body"),
    "tls": (),
}
"""The extensions the spec defines, and the messages each allows."""

EXTENSION_OF = {message: name for name, messages in KNOWN_EXTENSIONS.items() for message in messages}


class Look:
    """A scope as the rules see it, however broken it is.

    Attributes:
        scope: the scope itself.
        protocol: its type, `""` where that is no text.
        headers: its headers.
        extensions: what the server offers.
        version: the spec version as numbers; (2, 0) where it is not given, as the spec says.
        status: of the response, once it was started; 0 before.
        fields: the headers of the message that is being judged.
    """

    __slots__ = ("extensions", "fields", "headers", "protocol", "scope", "status", "version")

    def __init__(self, scope: Any) -> None:
        self.scope: Any = scope if isinstance(scope, dict) else {}
        kind = self.scope.get("type")
        self.protocol = kind if isinstance(kind, str) else ""
        self.headers = fields_of(self.scope.get("headers"))
        offered = self.scope.get("extensions")
        self.extensions: dict[Any, Any] = offered if isinstance(offered, dict) else {}
        self.version = _version(self.scope.get("asgi"))
        self.status = 0
        self.fields = NO_FIELDS

    @property
    def declares_its_own(self) -> bool:
        """Whether the server declares an extension the spec does not know, which may add any message."""
        return any(name not in KNOWN_EXTENSIONS for name in self.extensions)


def _version(asgi: Any) -> tuple[int, int]:
    given = asgi.get("spec_version", "2.0") if isinstance(asgi, dict) else "2.3"  # A003 is enough about a missing one
    major, dot, minor = given.partition(".") if isinstance(given, str) else ("2", ".", "0")
    return (int(major), int(minor)) if dot and major.isdigit() and minor.isdigit() else (2, 0)
