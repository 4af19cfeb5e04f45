"""There and back: a request that crosses the border twice is the request that it was."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote_from_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from anysgi._core._environ import environ_from_scope
from anysgi._core._scope import scope_from_environ

BYTES = st.binary(max_size=10)
VALUES = st.binary(max_size=10).map(lambda value: bytes(b for b in value if b not in b"\r\n\0"))
PLAIN_NAMES = st.sampled_from([b"host", b"x-a", b"x-b", b"cookie", b"accept", b"authorization", b"x-forwarded-for"])
TYPES = st.none() | VALUES.filter(bool)


@st.composite
def scopes(draw: st.DrawFn) -> dict[str, Any]:
    """What a server sends that follows the ASGI spec, each header once, as WSGI cannot tell two from one."""
    root = b"".join(b"/" + part for part in draw(st.lists(st.binary(min_size=1, max_size=4), max_size=2)))
    root = root.replace(b"//", b"/").rstrip(b"/")
    path = root + b"/" + draw(BYTES)
    headers = draw(st.dictionaries(PLAIN_NAMES, VALUES, max_size=4))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": draw(st.sampled_from(["1.0", "1.1", "2", "3"])),
        "method": draw(st.sampled_from(["GET", "HEAD", "POST", "DELETE", "PROPFIND"])),
        "scheme": draw(st.sampled_from(["http", "https"])),
        "path": path.decode("utf-8", "replace"),
        "raw_path": quote_from_bytes(path).encode("ascii"),
        "query_string": draw(BYTES),
        "root_path": root.decode("utf-8", "ignore").rstrip("/"),
        "headers": sorted(headers.items()),
        "client": draw(st.none() | st.tuples(st.just("10.0.0.1"), st.integers(0, 65_535))),
        "server": ("example.org", draw(st.integers(1, 65_535))),
        "extensions": {},
    }


@given(scopes())
def test_scope_to_environ_to_scope_is_the_same_scope(first: dict[str, Any]) -> None:
    before = copy.deepcopy(first)
    second = scope_from_environ(environ_from_scope(first))
    assert first == before
    del second["wsgi.environ"]
    second["headers"].sort()
    if not first["path"].startswith(first["root_path"] + "/"):  # a root that is no UTF-8: then the spec's way is lost
        first = {**first, "path": second["path"], "raw_path": second["raw_path"]}
    assert second == first


@st.composite
def environs(draw: st.DrawFn) -> dict[str, Any]:
    """What a WSGI server sends: bytes as latin-1, REQUEST_URI as the client wrote it."""
    script = draw(st.sampled_from(["", "/app", "/caf\xc3\xa9", "/a/b"]))
    info = draw(st.sampled_from(["", "/"])) + draw(BYTES).decode("latin-1")
    info = "" if not info else "/" + info.lstrip("/")
    written = quote_from_bytes((script + info).encode("latin-1"), safe=draw(st.sampled_from(["/", "", "/~!:@"])))
    query = draw(BYTES).decode("latin-1")
    headers = draw(st.dictionaries(st.sampled_from(["HTTP_HOST", "HTTP_X_A", "HTTP_COOKIE"]), VALUES))
    framing = {"CONTENT_LENGTH": draw(st.none() | st.just("5")), "CONTENT_TYPE": draw(TYPES)}
    return {
        "REQUEST_METHOD": draw(st.sampled_from(["GET", "HEAD", "POST"])),
        "SCRIPT_NAME": script,
        "PATH_INFO": info,
        "QUERY_STRING": query,
        "REQUEST_URI": f"{written}?{query}" if query else written,
        "SERVER_NAME": "example.org",
        "SERVER_PORT": str(draw(st.integers(1, 65_535))),
        "SERVER_PROTOCOL": draw(st.sampled_from(["HTTP/1.0", "HTTP/1.1"])),
        "REMOTE_ADDR": "10.0.0.1",
        "REMOTE_PORT": str(draw(st.integers(0, 65_535))),
        "wsgi.url_scheme": draw(st.sampled_from(["http", "https"])),
        **{key: value.decode("latin-1") for key, value in headers.items()},
        **{key: _text(value) for key, value in framing.items() if value is not None},
    }


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


@given(environs())
def test_environ_to_scope_to_environ_is_the_same_environ(first: dict[str, Any]) -> None:
    before = dict(first)
    second = environ_from_scope(scope_from_environ(first))
    assert first == before
    assert {key: second.get(key) for key in first} == first
    assert second["RAW_URI"] == first["REQUEST_URI"]


@given(BYTES)
@example(b"/..//%2e\xff")
def test_path_bytes_survive_any_number_of_crossings(tail: bytes) -> None:
    first = {"REQUEST_METHOD": "GET", "PATH_INFO": "/" + tail.decode("latin-1")}
    once = environ_from_scope(scope_from_environ(first))
    twice = environ_from_scope(scope_from_environ(once))
    assert once["PATH_INFO"] == twice["PATH_INFO"] == first["PATH_INFO"]
    assert once["REQUEST_URI"] == twice["REQUEST_URI"]
