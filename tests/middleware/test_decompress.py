"""`decompress`: the app reads plain bytes, and nothing that only looks small."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from anysgi.exceptions import ClientDisconnected
from anysgi.middleware import Flow, Request, Stack, _decoders, body_limit, decompress, middleware
from anysgi.middleware._decoders import MEMBERS
from anysgi.middleware._zstd import zstd

from ._driving import App, Drive
from .test_codings import _encode

BODY = b"hello " * 50


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "br", "zstd", "deflate"])
@pytest.mark.parametrize("pieces", [1, 7])
def test_the_app_reads_what_was_meant(drive: Drive, coding: str, pieces: int) -> None:
    wire = _encode(coding.lower(), BODY)
    body: Any = wire if pieces == 1 else [wire[n : n + pieces] for n in range(0, len(wire), pieces)]
    app = App(b"thanks", reads=True)
    layer = decompress(codings=[*MEMBERS], collect=False)
    answer = drive(layer, app, method="POST", body=body, headers={"Content-Encoding": coding})
    assert (answer.status, answer.error) == (200, None)
    assert app.received == BODY
    assert not any("content-length" in str(name).lower().replace("_", "-") for name in _fields(app))
    assert not any("content-encoding" in str(name).lower().replace("_", "-") for name in _fields(app))


@pytest.mark.parametrize("codings", [["gzip"], ["x-gzip"]])
@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
def test_x_gzip_is_gzip(drive: Drive, codings: list[str], coding: str) -> None:
    app, wire = App(b"thanks", reads=True), gzip.compress(BODY)
    assert drive(decompress(codings=codings), app, body=wire, headers={"Content-Encoding": coding}).status == 200
    assert app.received == BODY


def test_an_app_that_needs_a_length_is_told_the_true_one(drive: Drive) -> None:
    app, wire = App(b"thanks", reads=True), gzip.compress(BODY)
    drive(decompress(), app, method="POST", body=wire, headers={"Content-Encoding": "gzip"})
    assert app.received == BODY
    if drive.convention == "wsgi":
        assert app.request["CONTENT_LENGTH"] == str(len(BODY))
    else:  # a request of HTTP/1 without either has no body
        assert (b"transfer-encoding", b"chunked") in app.request["headers"]


def test_a_body_over_http_2_needs_no_header_to_be_there() -> None:
    app, wire = App(b"thanks", reads=True), gzip.compress(BODY)
    Drive("asgi")(decompress(), app, body=wire, headers={"Content-Encoding": "gzip"}, http_version="2")
    assert app.received == BODY
    assert not {b"transfer-encoding", b"content-length"} & {name for name, _ in app.request["headers"]}


def test_what_is_wrong_with_a_body_that_is_decoded_first_is_said_before_the_app_is_called() -> None:
    app, cut = App(b"thanks", reads=True), gzip.compress(BODY)[:-4]
    assert Drive("wsgi")(decompress(), app, body=cut, headers={"Content-Encoding": "gzip"}).status == 400
    assert app.calls == 0


def test_a_client_that_leaves_before_its_body_is_decoded_is_told_to_the_outer_layers() -> None:
    seen: list[BaseException] = []

    @middleware
    def witness(request: Request) -> Flow:
        try:
            yield request
        except BaseException as error:
            seen.append(error)
            raise

    app, stack = App(b"thanks", reads=True), Stack(witness, decompress())
    headers = {"Content-Encoding": "gzip", "Content-Length": "500"}
    answer = Drive("wsgi")(stack, app, body=gzip.compress(BODY), headers=headers)
    assert isinstance(answer.error, ClientDisconnected)
    assert seen == [answer.error]
    assert app.calls == 0


def _fields(app: App) -> list[object]:
    return [name for name, _ in app.request["headers"]] if "headers" in app.request else list(app.request)


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "identity"}])
def test_a_plain_body_passes_untouched(drive: Drive, headers: dict[str, str]) -> None:
    app = App(b"thanks", reads=True)
    drive(decompress(), app, method="POST", body=BODY, headers=headers)
    assert app.received == BODY


def test_an_encoded_request_without_a_body_passes(drive: Drive) -> None:
    app = App(b"thanks", reads=True)
    assert drive(decompress(), app, headers={"Content-Encoding": "gzip"}).status == 200
    assert app.received == b""


def test_a_frame_that_asks_for_much_memory_is_refused(drive: Drive) -> None:
    wide = {zstd.CompressionParameter.window_log: 27}  # 128 MiB, of which a decoder would have to make room
    made = zstd.ZstdCompressor(options=wide)
    wire = made.compress(BODY) + made.flush(made.FLUSH_BLOCK) + made.flush()
    answer = drive(decompress(), App(b"x", reads=True), method="POST", body=wire, headers={"Content-Encoding": "zstd"})
    assert (answer.status, answer.error) == (400, None)


@pytest.mark.parametrize("coding", ["compress", "gzip, br", "br, br", "snappy"])
def test_another_coding_is_answered_415_with_those_that_are_understood(drive: Drive, coding: str) -> None:
    app = App(b"thanks", reads=True)
    answer = drive(decompress(codings=["gzip", "br"]), app, body=b"x", headers={"Content-Encoding": coding})
    assert (answer.status, app.calls) == (415, 0)
    assert answer.header("accept-encoding") == "gzip, br"


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (gzip.compress(BODY)[:-4], 400),
        (b"no gzip at all", 400),
        (gzip.compress(BODY) + b"garbage", 400),
        (gzip.compress(bytes(5_000_000)), 413),  # the ratio
    ],
    ids=["truncated", "broken", "trailing", "exploding"],
)
def test_broken_truncated_and_exploding_bodies_are_refused(drive: Drive, wire: bytes, status: int) -> None:
    app = App(b"thanks", reads=True)
    answer = drive(decompress(), app, body=wire, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.error) == (status, None)


def test_the_size_after_decoding_is_bounded(drive: Drive) -> None:
    stack = decompress(max_size=1_000, ratio=1e9)
    for size, status in [(1_000, 200), (1_001, 413)]:
        wire = gzip.compress(bytes(size))
        assert drive(stack, App(b"x", reads=True), body=wire, headers={"Content-Encoding": "gzip"}).status == status


def test_a_limit_inside_counts_decoded_bytes_one_outside_those_on_the_wire(drive: Drive) -> None:
    wire = gzip.compress(bytes(1_000))
    headers = {"Content-Encoding": "gzip"}
    outside, inside = Stack(body_limit(limit=100), decompress()), Stack(decompress(), body_limit(limit=100))
    assert drive(outside, App(b"x", reads=True), body=wire, headers=headers).status == 200
    assert drive(inside, App(b"x", reads=True), body=wire, headers=headers).status == 413


def test_a_library_that_is_missing_leaves_its_coding_out(monkeypatch: pytest.MonkeyPatch, drive: Drive) -> None:
    def missing() -> Any:
        raise ImportError("no brotli")

    monkeypatch.setitem(MEMBERS, "br", missing)
    _decoders.usable_members.cache_clear()
    answer = drive(decompress(), App(b"x", reads=True), body=b"x", headers={"Content-Encoding": "br"})
    _decoders.usable_members.cache_clear()
    assert (answer.status, answer.header("accept-encoding")) == (415, "gzip, deflate, zstd")


def test_codings_none_of_which_has_a_library_are_an_error_when_the_stack_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> Any:
        raise ImportError("no brotli")

    monkeypatch.setitem(MEMBERS, "br", missing)
    _decoders.usable_members.cache_clear()
    with pytest.raises(ValueError, match=r"pip install 'anysgi\[compression\]'"):
        decompress(codings=["br"])
    _decoders.usable_members.cache_clear()


def test_an_empty_list_of_codings_refuses_them_all(drive: Drive) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert drive(decompress(codings=[]), App(b"x", reads=True), body=b"x", headers=headers).status == 415


def test_a_coding_nobody_knows_is_an_error_when_the_stack_is_built() -> None:
    with pytest.raises(ValueError, match="'lzma' is not one of"):
        decompress(codings=["lzma"])
