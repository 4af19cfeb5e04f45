"""One header of a request, by its name: where the rest need not be translated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._headers import LONGEST, REMEMBERED, separator

if TYPE_CHECKING:
    from ..types import Environ, Scope

ENVIRON_KEYS: dict[str, str] = {}
known_key = ENVIRON_KEYS.get


def environ_key(name: str) -> str:
    """The environ key of a request header."""
    key = ENVIRON_KEYS.get(name)
    if key is None:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key
        if len(ENVIRON_KEYS) < REMEMBERED and len(name) <= LONGEST:
            ENVIRON_KEYS[name] = key
    return key


def header_in_environ(environ: Environ, name: str) -> str:
    """One request header of an environ, by its lowercased name; empty if there is none."""
    value: str = environ.get(known_key(name) or environ_key(name), "")
    return value


def header_in_scope(scope: Scope, name: str) -> str:
    """One request header of a scope, by its lowercased name, joined as `environ_from_scope` joins it; or empty."""
    wanted, found = name.encode(), ""
    for key, value in scope["headers"]:
        if key == wanted:
            text = value.decode("latin-1")
            found = f"{found}{separator(environ_key(name))}{text}" if found else text
    return found
