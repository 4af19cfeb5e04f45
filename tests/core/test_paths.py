"""Paths from a scope to an environ and back: which part is SCRIPT_NAME, and which bytes the client wrote."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi._core._paths import asgi_paths, wsgi_paths


def scope(path: str, root: str | None = None, raw: bytes | None = None) -> dict[str, Any]:
    parts: dict[str, Any] = {"path": path}
    if root is not None:
        parts["root_path"] = root
    if raw is not None:
        parts["raw_path"] = raw
    return parts


SPLITS = {
    "no root": ("", "/x", "", "/x"),
    "no root, root of the site": ("", "/", "", "/"),
    "the root is a lone slash": ("/", "/x", "", "/x"),
    "path with root in front (ASGI spec)": ("/app", "/app/x", "/app", "/x"),
    "path without root (proxy stripped it)": ("/api", "/users", "/api", "/users"),
    "mount without trailing slash": ("/app", "/app", "/app", ""),
    "mount with trailing slash": ("/app", "/app/", "/app", "/"),
    "the root itself ends in a slash": ("/app/", "/app/x", "/app", "/x"),
    "never cut in the middle of a segment": ("/app", "/apple/pie", "/app", "/apple/pie"),
    "root of two segments": ("/a/b", "/a/b/c", "/a/b", "/c"),
    "only the front is cut, and once": ("/a", "/a/a/a", "/a", "/a/a"),
    "root that is not ascii": ("/caf\xe9", "/caf\xe9/x", "/caf\xc3\xa9", "/x"),
}


@pytest.mark.parametrize(("root", "path", "script", "info"), SPLITS.values(), ids=SPLITS)
def test_the_root_path_becomes_script_name(root: str, path: str, script: str, info: str) -> None:
    assert wsgi_paths(scope(path, root))[:2] == (script, info)


def test_a_root_path_of_none_counts_as_none_given() -> None:
    assert wsgi_paths({"path": "/x", "root_path": None}) == ("", "/x", "/x")


def test_root_and_raw_path_go_together() -> None:
    assert wsgi_paths(scope("/app/a/b", "/app", b"/app/a%2Fb")) == ("/app", "/a/b", "/app/a%2Fb")


WRITTEN = {
    "plain": ("/a", b"/a", "/a", "/a"),
    "an encoded slash stays visible": ("/a/b", b"/a%2Fb", "/a/b", "/a%2Fb"),
    "a byte that is no UTF-8": ("/\ufffd", b"/%FF", "/\xff", "/%FF"),
    "the same byte, escaped by the server (PEP 383)": ("/\udcff", b"/%FF", "/\xff", "/%FF"),
    "unicode": ("/\xe9", b"/%C3%A9", "/\xc3\xa9", "/%C3%A9"),
    "unicode written raw": ("/\xe9", "/\xe9".encode(), "/\xc3\xa9", "/\xc3\xa9"),
    "a percent sign": ("/100%", b"/100%25", "/100%", "/100%25"),
    "query left in raw_path": ("/a", b"/a?q=1", "/a", "/a"),
    "query left in an encoded raw_path": ("/\xe9", b"/%C3%A9?q=%20", "/\xc3\xa9", "/%C3%A9"),
    "a middleware rewrote path": ("/new", b"/old", "/new", "/new"),
    "a middleware rewrote path to the same length": ("/abc", b"/xyz", "/abc", "/abc"),
    "a middleware rewrote path to something encoded": ("/\xe9 x", b"/old", "/\xc3\xa9 x", "/%C3%A9%20x"),
    "no raw_path": ("/\xe9/a b", None, "/\xc3\xa9/a b", "/%C3%A9/a%20b"),
    "no raw_path, escaped byte": ("/\udcff", None, "/\xff", "/%FF"),
    "no raw_path, a surrogate that is no byte": ("/\ud800", None, "/?", "/%3F"),
    "empty raw_path": ("/", b"", "/", "/"),
    "asterisk form": ("*", b"*", "*", "*"),
}


@pytest.mark.parametrize(("path", "raw", "info", "written"), WRITTEN.values(), ids=WRITTEN)
def test_what_the_client_wrote_wins_unless_the_path_was_rewritten(
    path: str, raw: bytes | None, info: str, written: str
) -> None:
    assert wsgi_paths(scope(path, raw=raw)) == ("", info, written)


@given(st.binary())
def test_every_path_byte_arrives_exactly_when_the_server_gives_raw_path(tail: bytes) -> None:
    exact = b"/" + tail
    raw = quote_from_bytes(exact).encode("ascii")
    _, info, written = wsgi_paths(scope(exact.decode("utf-8", "replace"), raw=raw))
    assert info.encode("latin-1") == exact
    assert unquote_to_bytes(written) == exact


@given(st.text())
def test_any_text_is_a_path(tail: str) -> None:
    """Lone surrogates included: some servers decode with errors='surrogateescape'."""
    path = "/" + tail
    _, info, written = wsgi_paths(scope(path))
    assert written.isascii()
    assert unquote_to_bytes(written) == info.encode("latin-1")


ENVIRONS = {
    "nothing given": ({}, "", "", b""),
    "path only": ({"PATH_INFO": "/x"}, "", "/x", b"/x"),
    "mounted": ({"SCRIPT_NAME": "/app", "PATH_INFO": "/x"}, "/app", "/app/x", b"/app/x"),
    "mount without trailing slash": ({"SCRIPT_NAME": "/app", "PATH_INFO": ""}, "/app", "/app", b"/app"),
    "unicode": ({"PATH_INFO": "/caf\xc3\xa9"}, "", "/caf\xe9", b"/caf%C3%A9"),
    "no UTF-8": ({"PATH_INFO": "/\xff"}, "", "/\ufffd", b"/%FF"),
    "REQUEST_URI keeps an encoded slash": ({"PATH_INFO": "/a/b", "REQUEST_URI": "/a%2Fb?q"}, "", "/a/b", b"/a%2Fb"),
    "RAW_URI does as well": ({"PATH_INFO": "/a/b", "RAW_URI": "/a%2Fb"}, "", "/a/b", b"/a%2Fb"),
    "REQUEST_URI wins over RAW_URI": (
        {"PATH_INFO": "/a/b", "REQUEST_URI": "/a%2fb", "RAW_URI": "/a%2Fb"},
        "",
        "/a/b",
        b"/a%2fb",
    ),
    "REQUEST_URI that disagrees is not believed": ({"PATH_INFO": "/new", "REQUEST_URI": "/old"}, "", "/new", b"/new"),
    "a literal percent sign is written encoded, whatever REQUEST_URI says": (
        {"PATH_INFO": "/%41", "REQUEST_URI": "/%41"},
        "",
        "/%41",
        b"/%2541",
    ),
    "absolute form": ({"PATH_INFO": "/a/b", "REQUEST_URI": "http://host/a%2Fb?q"}, "", "/a/b", b"/a%2Fb"),
    "absolute form without a path": ({"PATH_INFO": "/", "REQUEST_URI": "http://host"}, "", "/", b"/"),
    "a fragment is no part of the path": ({"PATH_INFO": "/a", "REQUEST_URI": "/a#b"}, "", "/a", b"/a"),
    "a path that looks like a URL": ({"PATH_INFO": "/x://y", "REQUEST_URI": "/x://y"}, "", "/x://y", b"/x://y"),
    "asterisk form": ({"PATH_INFO": "*", "REQUEST_URI": "*"}, "", "*", b"*"),
    "real unicode, put there by a middleware": ({"PATH_INFO": "/\u4e2d"}, "", "/\u4e2d", b"/%E4%B8%AD"),
    "a lone surrogate, put there by a middleware": ({"PATH_INFO": "/\udcff"}, "", "/\ufffd", b"/%FF"),
}


@pytest.mark.parametrize(("environ", "root", "path", "raw"), ENVIRONS.values(), ids=ENVIRONS)
def test_an_environ_becomes_root_path_full_path_and_raw_path(
    environ: dict[str, Any], root: str, path: str, raw: bytes
) -> None:
    assert asgi_paths(environ) == (root, path, raw)


@given(st.binary(), st.none() | st.binary())
def test_raw_path_always_says_the_same_as_path(info: bytes, written: bytes | None) -> None:
    environ = {"PATH_INFO": "/" + info.decode("latin-1")}
    if written is not None:
        environ["REQUEST_URI"] = "/" + written.decode("latin-1")
    _, path, raw = asgi_paths(environ)
    assert unquote_to_bytes(raw) == b"/" + info
    path.encode()  # no lone surrogates: the first app that encodes its path would break
