"""Transfer-Encoding of a request: undone by the server, so no app sees it, and stronger than Content-Length."""

from __future__ import annotations

import pytest

from anysgi._core._headers import add_headers


@pytest.mark.parametrize("name", [b"transfer-encoding", b"Transfer-Encoding"])
def test_a_chunked_request_has_no_content_length_whatever_its_headers_say(name: bytes) -> None:
    environ: dict[str, str] = {}
    add_headers(environ, [(b"content-length", b"5"), (name, b"chunked"), (b"x-a", b"1")], "drop")
    assert environ == {"HTTP_X_A": "1"}


def test_without_transfer_encoding_content_length_stays() -> None:
    environ: dict[str, str] = {}
    add_headers(environ, [(b"content-length", b"5"), (b"proxy", b"evil")], "drop")
    assert environ == {"CONTENT_LENGTH": "5"}
