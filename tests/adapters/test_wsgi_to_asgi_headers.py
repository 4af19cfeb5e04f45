"""WsgiToAsgi, headers and framing: what the app is told, what the server is told, and where the body ends."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from anysgi import WsgiToAsgi
from anysgi.exceptions import AppProtocolError
from anysgi.testing import arun

from ._driving import serve, wsgi_app


async def environ_of(*headers: tuple[bytes, bytes], adapter_options: Any = None, **scope: Any) -> dict[str, Any]:
    """The environ an app gets."""
    app = wsgi_app(b"x")
    peer = await serve(WsgiToAsgi(app, **(adapter_options or {})), headers=list(headers), **scope)
    assert peer.status == 200
    return app.environ  # type: ignore[attr-defined,no-any-return]


async def refusal_of(*headers: tuple[bytes, bytes], **options: Any) -> int:
    """The status of a request that never reaches its app."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("called")

    return (await serve(WsgiToAsgi(app, **options), headers=list(headers))).status


@pytest.mark.anyio
async def test_every_byte_of_a_request_header_arrives() -> None:
    value = bytes(byte for byte in range(1, 256) if byte not in b"\r\n")
    environ = await environ_of((b"x-all", value))
    assert environ["HTTP_X_ALL"].encode("latin-1") == value


@pytest.mark.anyio
async def test_every_byte_of_a_response_header_leaves_and_names_are_lowercased() -> None:
    value = bytes(byte for byte in range(0x21, 256)).decode("latin-1")
    peer = await serve(WsgiToAsgi(wsgi_app(b"", headers=[("X-All", value), ("X-B", " padded\t")])))
    assert peer.header(b"x-all") == value.encode("latin-1")
    assert peer.header(b"x-b") == b"padded"
    assert all(name == name.lower() for name, _ in peer.headers)


@pytest.mark.anyio
async def test_other_repeated_fields_are_joined_with_a_comma() -> None:
    assert (await environ_of((b"accept", b"a"), (b"accept", b"b")))["HTTP_ACCEPT"] == "a, b"


@pytest.mark.anyio
@pytest.mark.parametrize("lengths", [(b"5", b"5"), (b"5, 5",), (b"5",)], ids=repr)
async def test_equal_content_lengths_collapse(lengths: tuple[bytes, ...]) -> None:
    assert (await environ_of(*[(b"content-length", n) for n in lengths]))["CONTENT_LENGTH"] == "5"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"5"), (b"content-length", b"6")],
        [(b"content-length", b"5, 6")],
        [(b"content-length", b"abc")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"\xb2")],
        [(b"content-type", b"a/b"), (b"content-type", b"c/d")],
        [(b"host", b"other")],
        [(b"authorization", b"a"), (b"authorization", b"b")],
    ],
    ids=repr,
)
async def test_headers_that_contradict_themselves_are_answered_400_and_the_app_is_not_called(headers: Any) -> None:
    assert await refusal_of(*headers) == 400


@pytest.mark.anyio
async def test_a_refusal_says_why_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await refusal_of((b"content-length", b"abc"))
    assert "GET '/' answered 400: Content-Length is not one number: 'abc'" in caplog.text


@pytest.mark.anyio
async def test_a_refusal_writes_no_escapes_of_a_method_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await serve(WsgiToAsgi(wsgi_app(b"x")), None, "G\x1b[31m")
    assert r"'G\x1b[31m' '/' answered 400" in caplog.text
    assert "\x1b" not in caplog.text


@pytest.mark.anyio
async def test_a_flood_of_equal_names_takes_time_in_proportion_to_its_size() -> None:
    async def seconds(count: int) -> float:
        flood = [(b"x-flood", b"y" * 50)] * count
        best = 60.0
        for _ in range(5):
            began = time.perf_counter()
            environ = await environ_of(*flood)
            best = min(best, time.perf_counter() - began)
        assert environ["HTTP_X_FLOOD"].count(",") == count - 1
        return best

    few, many = await seconds(2_000), await seconds(50_000)
    assert many < 25 * few * 8  # joining piece by piece costs 625 times as much


@pytest.mark.anyio
async def test_names_with_underscores_cannot_forge_others() -> None:
    environ = await environ_of((b"x-forwarded-for", b"real"), (b"x_forwarded_for", b"spoof"), (b"content_length", b"9"))
    assert environ["HTTP_X_FORWARDED_FOR"] == "real"
    assert "CONTENT_LENGTH" not in environ
    assert "HTTP_CONTENT_LENGTH" not in environ


@pytest.mark.anyio
async def test_names_with_underscores_are_refused_or_kept_on_request() -> None:
    spoof = (b"x_token", b"a")
    assert await refusal_of(spoof, underscore_headers="refuse") == 400
    kept = await environ_of(spoof, (b"content_length", b"9"), adapter_options={"underscore_headers": "keep"})
    assert kept["HTTP_X_TOKEN"] == "a"
    assert "HTTP_CONTENT_LENGTH" not in kept


@pytest.mark.anyio
async def test_proxy_and_transfer_encoding_are_not_for_apps() -> None:
    environ = await environ_of((b"proxy", b"http://evil"), (b"transfer-encoding", b"chunked"))
    assert "HTTP_PROXY" not in environ
    assert "HTTP_TRANSFER_ENCODING" not in environ


@pytest.mark.anyio
async def test_hop_by_hop_response_headers_are_left_to_the_server() -> None:
    hops = [("Connection", "close"), ("Keep-Alive", "1"), ("Transfer-Encoding", "chunked"), ("Upgrade", "h2c")]
    assert (await serve(WsgiToAsgi(wsgi_app(b"", headers=[*hops, ("X-End", "1")])))).headers == [
        (b"x-end", b"1"),
        (b"content-length", b"0"),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("chunks", [[b"hello"], [b"he", b"llo"]], ids=repr)
async def test_no_more_is_sent_than_the_content_length(chunks: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    peer = await serve(WsgiToAsgi(wsgi_app(*chunks, headers=[("Content-Length", "3")])))
    assert (peer.body, peer.complete) == (b"hel", True)
    assert "more body than its Content-Length: 3" in caplog.text


@pytest.mark.anyio
async def test_a_stream_as_long_as_its_content_length_ends_cleanly() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "5")])
        yield from [b"he", b"", b"ll", b"o", b"never"]

    peer = await serve(WsgiToAsgi(app))
    assert (peer.body, peer.complete, peer.header(b"content-length")) == (b"hello", True, b"5")


@pytest.mark.anyio
@pytest.mark.parametrize("chunks", [[b"short"], [b"sh", b"ort"], []], ids=repr)
async def test_a_body_shorter_than_its_content_length_has_no_clean_end(chunks: list[bytes]) -> None:
    found = await arun(WsgiToAsgi(wsgi_app(*chunks, headers=[("Content-Length", "50")])))
    with pytest.raises(AppProtocolError, match="declared Content-Length: 50"):
        found.raise_for_exception()
    assert not found.complete


@pytest.mark.anyio
@pytest.mark.parametrize("chunks", [[b"hello"], [b"he", b"llo"]], ids=repr)
async def test_a_head_request_is_answered_without_a_body(chunks: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    peer = await serve(WsgiToAsgi(wsgi_app(*chunks, headers=[("Content-Length", "5")])), None, "HEAD")
    assert (peer.body, peer.complete, peer.header(b"content-length")) == (b"", True, b"5")
    assert not [r for r in caplog.records if r.name == "anysgi" and r.levelno >= logging.WARNING]


@pytest.mark.anyio
async def test_a_head_request_learns_the_length_only_from_a_body_that_is_there() -> None:
    assert (await serve(WsgiToAsgi(wsgi_app(b"hello")), None, "HEAD")).header(b"content-length") == b"5"
    assert (await serve(WsgiToAsgi(wsgi_app(b"")), None, "HEAD")).header(b"content-length") is None


@pytest.mark.anyio
@pytest.mark.parametrize("chunks", [[b"body"], [b"bo", b"dy"], []], ids=repr)
async def test_204_and_304_have_no_body_and_204_no_length(chunks: list[bytes]) -> None:
    headers = [("Content-Length", "4"), ("ETag", '"x"')]
    no_content = await serve(WsgiToAsgi(wsgi_app(*chunks, status="204 No Content", headers=headers)))
    assert (no_content.body, no_content.complete, no_content.headers) == (b"", True, [(b"etag", b'"x"')])
    not_modified = await serve(WsgiToAsgi(wsgi_app(*chunks, status="304 Not Modified", headers=headers)))
    assert (not_modified.body, not_modified.complete) == (b"", True)
    assert not_modified.header(b"content-length") == b"4"
