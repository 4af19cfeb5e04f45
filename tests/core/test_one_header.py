"""One header of a request, found in either convention."""

from __future__ import annotations

import pytest

from anysgi._core._environ import environ_from_scope
from anysgi._core._one_header import header_in_environ, header_in_scope


@pytest.mark.parametrize(
    ("name", "sent", "found"),
    [
        ("x-user", [], ""),
        ("x-user", [b"a"], "a"),
        ("x-user", [b"a", b"b"], "a, b"),
        ("x-user", [b"J\xfcrgen"], "J\xfcrgen"),
        ("cookie", [b"a=1", b"b=2"], "a=1; b=2"),
        ("content-type", [b"text/plain"], "text/plain"),
    ],
)
def test_a_header_is_the_same_in_a_scope_and_in_its_environ(name: str, sent: list[bytes], found: str) -> None:
    headers = [(b"host", b"a"), *((name.encode(), value) for value in sent), (b"accept", b"*/*")]
    scope = {"type": "http", "method": "GET", "path": "/", "http_version": "1.1", "headers": headers}
    assert header_in_scope(scope, name) == found
    assert header_in_environ(environ_from_scope(scope), name) == found
