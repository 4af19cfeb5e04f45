"""WsgiToAsgi and the `start_response` contract of PEP 3333: when the head leaves, and what each mistake is answered."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from anysgi import WsgiToAsgi
from anysgi.exceptions import AppProtocolError
from anysgi.testing import Exchange, arun
from tests.conftest import eventually

from ._driving import AsgiPeer, serve


def sent_nothing(found: Exchange) -> Exchange:
    assert [event.message for event in found.messages if event.by == "app"] == []
    return found


@pytest.mark.anyio
async def test_exc_info_after_the_first_byte_raises_it_in_the_app_and_aborts() -> None:
    seen: list[BaseException] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"begun"
        try:
            raise LookupError("original")
        except LookupError:
            try:
                start_response("500 Oops", [], sys.exc_info())
            except LookupError as error:
                seen.append(error)
                raise
        yield b"never"

    found = await arun(WsgiToAsgi(app))
    assert [str(error) for error in seen] == ["original"]
    assert found.exception is seen[0]
    assert (found.status, found.body, found.complete) == (200, b"begun", False)


@pytest.mark.anyio
async def test_a_second_call_without_exc_info_is_an_error_after_the_head_left_too() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"sent"
        with pytest.raises(AssertionError, match="start_response"):
            start_response("200 OK", [])
        yield b"told"

    assert (await serve(WsgiToAsgi(app))).body == b"senttold"


@pytest.mark.anyio
async def test_write_sends_at_once() -> None:
    peer = AsgiPeer()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])(b"written")
        assert eventually(lambda: peer.body == b"written")
        return []

    await serve(WsgiToAsgi(app), peer)
    assert peer.complete


@pytest.mark.anyio
async def test_write_alone_may_reach_the_content_length() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "3")])(b"abc")
        return [b"more"]

    peer = await serve(WsgiToAsgi(app))
    assert (peer.body, peer.complete) == (b"abc", True)


@pytest.mark.anyio
async def test_write_takes_bytes_only() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])("text")
        return []

    with pytest.raises(TypeError, match=r"text\.encode\(\)"):
        sent_nothing(await arun(WsgiToAsgi(app))).raise_for_exception()


@pytest.mark.anyio
async def test_start_response_may_be_called_late_from_the_iterator() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("418 I'm a teapot", [("X-Tea", "green")])
        yield b"short and stout"

    peer = await serve(WsgiToAsgi(app))
    assert (peer.status, peer.header(b"x-tea")) == (418, b"green")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [list, tuple, iter, lambda _: [b""]], ids=["list", "tuple", "iterator", "empty chunk"])
@pytest.mark.parametrize(("method", "status"), [("GET", 204), ("GET", 302), ("HEAD", 200), ("GET", 200)])
async def test_an_empty_iterable_sends_the_head_at_its_end(kind: Any, method: str, status: int) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response(f"{status} X", [])
        return kind([])

    peer = await serve(WsgiToAsgi(app), None, method)
    assert [m["type"] for m in peer.sent] == ["http.response.start", "http.response.body"]
    assert (peer.status, peer.body, peer.complete) == (status, b"", True)


@pytest.mark.anyio
@pytest.mark.parametrize("result", [[b"x"], [b"x", b"y"], [], [b""]], ids=repr)
async def test_never_calling_start_response_is_one_clear_error_and_nothing_is_sent(result: list[bytes]) -> None:
    found = await arun(WsgiToAsgi(lambda environ, start_response: result))
    with pytest.raises(AppProtocolError, match=r"never called start_response\(\)"):
        sent_nothing(found).raise_for_exception()


BAD_HEADS = {
    "int status": (200, []),
    "bytes status": (b"200 OK", []),
    "status without code": ("abc", []),
    "empty status": ("", []),
    "interim status": ("101 Switching Protocols", []),
    "status out of range": ("600 X", []),
    "split status": ("200 OK\r\nX: y", []),
    "headers in a tuple": ("200 OK", (("a", "b"),)),
    "headers in a dict": ("200 OK", {"a": "b"}),
    "a header of three": ("200 OK", [("a", "b", "c")]),
    "no pair": ("200 OK", [3]),
    "bytes name": ("200 OK", [(b"a", "b")]),
    "int value": ("200 OK", [("Content-Length", 5)]),
    "CR LF in a value": ("200 OK", [("a", "b\r\nSet-Cookie: x")]),
    "LF in a value": ("200 OK", [("a", "b\nc")]),
    "NUL in a value": ("200 OK", [("a", "b\0")]),
    "a colon in a name": ("200 OK", [("a:b", "c")]),
    "an empty name": ("200 OK", [("", "c")]),
    "a value outside latin-1": ("200 OK", [("a", "\u4e2d")]),
    "a name outside latin-1": ("200 OK", [("\u4e2d", "a")]),
    "two lengths": ("200 OK", [("Content-Length", "5"), ("Content-Length", "6")]),
    "a length that is none": ("200 OK", [("Content-Length", "-1")]),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", BAD_HEADS)
async def test_a_head_that_may_not_be_sent_raises_in_the_app_and_sends_nothing(case: str) -> None:
    status, headers = BAD_HEADS[case]
    raised: list[Exception] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        try:
            start_response(status, headers)
        except Exception as error:
            raised.append(error)
            raise
        return [b"x"]

    found = sent_nothing(await arun(WsgiToAsgi(app)))
    assert isinstance(found.exception, AppProtocolError)
    assert isinstance(found.exception, (TypeError, ValueError))
    assert raised == [found.exception]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "code"), [("200", 200), ("200 ", 200), ("404 Not Found", 404), ("599 \xe9", 599), ("299 a b", 299)]
)
async def test_a_status_needs_its_code_and_may_lack_its_reason(status: str, code: int) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [])
        return [b"x"]

    assert (await serve(WsgiToAsgi(app))).status == code


@pytest.mark.anyio
@pytest.mark.parametrize("chunk", ["text", 3, None, bytearray(b"x"), ["x"]], ids=repr)
@pytest.mark.parametrize("before", [[], [b"", b""]], ids=["alone", "among others"])
async def test_a_chunk_that_is_not_bytes_raises_and_sends_nothing(chunk: Any, before: list[bytes]) -> None:
    def app(environ: Any, start_response: Any) -> list[Any]:
        start_response("200 OK", [])
        return [*before, chunk]

    with pytest.raises(TypeError, match=r"made of bytes|encode it"):
        sent_nothing(await arun(WsgiToAsgi(app))).raise_for_exception()
