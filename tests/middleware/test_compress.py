"""`compress`: what is compressed, what is not, and what a client can read when."""

from __future__ import annotations

import gzip
import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from anysgi.middleware import Stack, compress, conditional
from anysgi.middleware._decoders import Decoder

from ._driving import App, Drive

TEXT = {"Content-Type": "text/plain; charset=utf-8"}
BODY = b"hello " * 200
EVERYTHING = {"Accept-Encoding": "gzip, br, zstd"}


def decoded(coding: str, data: bytes) -> bytes:
    return Decoder(coding, room=1 << 20, ratio=1e9).feed(data)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_body_in_one_piece_is_compressed_and_its_length_is_exact(drive: Drive, coding: str) -> None:
    answer = drive(compress(), App(BODY, headers=TEXT), headers={"Accept-Encoding": coding})
    assert answer.header("content-encoding") == coding
    assert answer.header("content-length") == str(len(answer.body))
    assert len(answer.body) < 100
    assert decoded(coding, answer.body) == BODY


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, br, zstd", "zstd"),
        ("gzip;q=0", None),
        ("gzip;q=0.1, br", "br"),
        ("*;q=0", None),
        ("identity;q=0", None),
        (None, None),
    ],
)
def test_the_client_decides_and_vary_says_so_either_way(drive: Drive, accept: str | None, coding: str | None) -> None:
    headers = {} if accept is None else {"Accept-Encoding": accept}
    answer = drive(compress(), App(BODY, headers={**TEXT, "Vary": "Cookie"}), headers=headers)
    assert answer.header("content-encoding") == coding
    assert answer.header("vary") == "Cookie, accept-encoding"
    assert (answer.body == BODY) is (coding is None)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "image/png"}, BODY),
        (200, {}, BODY),
        (200, TEXT, b"short"),
        (200, {**TEXT, "Content-Encoding": "br"}, BODY),
        (206, {**TEXT, "Content-Range": "bytes 0-1199/9999"}, BODY),
        (200, {**TEXT, "Content-Range": "bytes 0-1199/9999"}, BODY),
        (200, {**TEXT, "Cache-Control": "public, No-Transform"}, BODY),
        (204, TEXT, b""),
        (304, {**TEXT, "ETag": '"a"'}, b""),
    ],
)
def test_what_must_not_be_compressed_passes_untouched(
    drive: Drive, status: int, headers: dict[str, str], body: bytes
) -> None:
    answer = drive(compress(), App(body, status=status, headers=headers), headers=EVERYTHING)
    assert (answer.status, answer.body) == (status, body)
    assert [(name, value) for name, value in answer.headers if name != "content-length"] == [
        (name.lower(), value) for name, value in headers.items()
    ]


def test_an_app_may_keep_one_response_out(drive: Drive) -> None:
    answer = drive(compress(), App(BODY, headers={**TEXT, "Content-Encoding": "identity"}), headers=EVERYTHING)
    assert (answer.body, answer.header("content-encoding"), answer.header("vary")) == (BODY, None, None)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_each_piece_of_a_stream_can_be_decoded_when_it_arrives(drive: Drive, coding: str) -> None:
    app = App(b"one", b"two", b"three", shape="stream", headers={"Content-Type": "text/event-stream"})
    answer = drive(compress(), app, headers={"Accept-Encoding": coding})
    assert answer.header("content-length") is None
    decoder = Decoder(coding, room=1 << 20, ratio=1e9)
    seen = [decoder.feed(chunk) for chunk in answer.chunks]
    assert [piece for piece in seen if piece] == [b"one", b"two", b"three"]
    assert decoder.finish() == b""


def test_pieces_of_a_body_of_known_length_are_not_flushed_one_by_one(drive: Drive) -> None:
    app = App(*[b"hello "] * 200, shape="stream", headers={**TEXT, "Content-Length": "1200"})
    answer = drive(compress(), app, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.body) == BODY
    assert len(answer.body) < 100
    assert answer.header("content-length") is None


def test_a_length_never_stands_beside_chunks(drive: Drive) -> None:
    app = App(BODY, headers={**TEXT, "Transfer-Encoding": "chunked"})
    answer = drive(compress(), app, headers={"Accept-Encoding": "gzip"})
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header("transfer-encoding") is None


def test_a_response_that_breaks_off_does_not_look_whole(drive: Drive) -> None:
    app = App(b"one" * 99, OSError("the disk"), shape="stream", headers=TEXT)
    answer = drive(compress(), app, headers={"Accept-Encoding": "gzip"})
    assert isinstance(answer.error, OSError)
    assert not answer.complete
    with pytest.raises(EOFError):
        gzip.decompress(answer.body)


def test_head_gets_the_headers_of_get_and_no_length_that_is_wrong(drive: Drive) -> None:
    app = App(headers={**TEXT, "Content-Length": "1200"})
    answer = drive(compress(), app, method="HEAD", headers={"Accept-Encoding": "gzip"})
    assert (answer.header("content-encoding"), answer.header("content-length")) == ("gzip", None)


@pytest.mark.parametrize(("given", "weak"), [('"abc"', 'W/"abc"'), ('W/"abc"', 'W/"abc"')])
def test_an_etag_becomes_weak_and_what_was_said_of_the_bytes_goes(drive: Drive, given: str, weak: str) -> None:
    headers = {**TEXT, "ETag": given, "Accept-Ranges": "bytes", "Content-Digest": "sha-256=:AAAA:"}
    answer = drive(compress(), App(BODY, headers=headers), headers=EVERYTHING)
    assert answer.header("etag") == weak
    assert answer.header("accept-ranges") is None
    assert answer.header("content-digest") is None


def test_options_are_heeded(drive: Drive) -> None:
    stack = compress(codings=["gzip"], levels={"gzip": 1}, minimum_size=1, types=["application/*"])
    answer = drive(stack, App(b"{}", headers={"Content-Type": "application/json"}), headers=EVERYTHING)
    assert answer.header("content-encoding") == "gzip"
    assert drive(stack, App(BODY, headers=TEXT), headers=EVERYTHING).header("content-encoding") is None


def test_media_types_are_matched_in_any_case_and_with_parameters(drive: Drive) -> None:
    for kind in ("Text/HTML; charset=utf-8", "application/problem+json", "IMAGE/SVG+XML"):
        answer = drive(compress(), App(BODY, headers={"Content-Type": kind}), headers=EVERYTHING)
        assert answer.header("content-encoding") == "zstd"


@pytest.mark.parametrize(
    ("levels", "message"),
    [({"gzip": 10}, "gzip has no level 10"), ({"br": 12}, "br has no level 12"), ({"gz": 1}, "'gz' is not one of")],
)
def test_a_level_that_does_not_exist_is_an_error_when_the_stack_is_built(levels: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compress(levels=levels)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("shape", ["list", "stream"])
def test_padding_changes_the_length_and_nothing_else(drive: Drive, coding: str, shape: Any) -> None:
    stack, app = compress(padding=256), App(BODY, b"end", headers=TEXT, shape=shape)
    answers = [drive(stack, app, headers={"Accept-Encoding": coding}) for _ in range(8)]
    assert len({len(answer.body) for answer in answers}) > 1  # all alike: once in 10**16
    assert {decoded(coding, answer.body) for answer in answers} == {BODY + b"end"}
    assert all(answer.header("content-length") in (None, str(len(answer.body))) for answer in answers)


def test_padding_has_a_bound() -> None:
    for padding in (-1, 257):
        with pytest.raises(ValueError, match="write up to 256 bytes"):
            compress(padding=padding)


def test_large_bodies_leave_the_event_loop_to_others(drive: Drive) -> None:
    stack, threads = compress(codings=["gzip"], thread_from=len(BODY)), []

    class Watched(dict[str, Any]):
        def __getitem__(self, coding: str) -> Any:
            return lambda level: SimpleNamespace(
                feed=lambda data: threads.append(threading.current_thread()) or b"", finish=lambda: b"made", flush=bytes
            )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anysgi.middleware._compress.ENCODERS", Watched())
        answers = [drive(stack, App(body, headers=TEXT), headers=EVERYTHING) for body in (BODY, BODY[1:])]
    assert [answer.body for answer in answers] == [b"made", b"made"]
    assert [thread is threading.main_thread() for thread in threads] == [drive.convention == "wsgi", True]


def test_a_coding_nobody_knows_is_an_error_when_the_stack_is_built() -> None:
    with pytest.raises(ValueError, match="'lzma' is not one of zstd, br, gzip"):
        compress(codings=["lzma"])


def test_etags_are_made_of_what_the_app_sent_and_still_fit_afterwards(drive: Drive) -> None:
    stack = Stack(compress(), conditional())
    first = drive(stack, App(BODY, headers=TEXT), headers=EVERYTHING)
    etag = first.header("etag")
    assert etag is not None
    assert etag.startswith('W/"')
    again = drive(stack, App(BODY, headers=TEXT), headers={**EVERYTHING, "If-None-Match": etag})
    assert (again.status, again.body, again.header("etag")) == (304, b"", etag)
    assert again.header("vary") == "accept-encoding", "as on the 200 it stands for (RFC 9110 section 15.4.5)"


def test_a_file_the_server_sends_by_itself_stays_one(drive: Drive) -> None:
    app: Any = _file_app if drive.convention == "wsgi" else _path_app
    extensions = {"http.response.pathsend": {}}
    native = {"wsgi.file_wrapper": _Wrapper} if drive.convention == "wsgi" else {"extensions": extensions}
    answer = drive(compress(), app, headers=EVERYTHING, **native)
    assert answer.header("content-encoding") is None
    if drive.convention == "wsgi":
        assert type(answer.raw) is _Wrapper
    else:
        assert answer.raw[-1]["type"] == "http.response.pathsend"


class _Wrapper:
    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def __iter__(self) -> Any:
        return iter(self.chunks)


def _file_app(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return environ["wsgi.file_wrapper"]([BODY])


async def _path_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.pathsend", "path": "/nowhere"})


def test_json_is_worth_it(drive: Drive) -> None:
    body = json.dumps([{"id": n, "name": f"user {n}"} for n in range(200)]).encode()
    answer = drive(compress(), App(body, headers={"Content-Type": "application/json"}), headers=EVERYTHING)
    assert len(answer.body) < len(body) / 5
