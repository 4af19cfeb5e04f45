"""Content codings, without a request: negotiation as a table, encoders and decoders against each other."""

from __future__ import annotations

import gzip
import math
import sys
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi.exceptions import BadRequest
from anysgi.middleware._decoders import MEMBERS, Decoder
from anysgi.middleware._digests import wanted_algorithm
from anysgi.middleware._encoders import ENCODERS, LEVELS, choose_coding, usable_codings
from anysgi.middleware._engine._problems import render_problem
from anysgi.middleware._media_types import type_judge

OFFERED = ("zstd", "br", "gzip")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, br, zstd", "zstd"),  # all alike: the server's order
        ("gzip;q=1.0, br;q=0.8", "gzip"),
        ("gzip;q=0.1, br", "br"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0, br", "br"),
        ("gzip;q=0.000", "identity"),
        ("*", "zstd"),
        ("*;q=0", "identity"),
        ("*;q=0, gzip", "gzip"),
        ("zstd;q=0, *", "br"),
        ("identity", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity;q=0", "identity"),  # nothing is left to offer
        ("deflate", "identity"),
        ("gzip" + " " * 600, "identity"),  # absurd, and not worth a place in the cache
        ("gzip;q=abc", "identity"),
        (",;,==", "identity"),
    ],
)
def test_the_client_gets_the_coding_it_likes_best(accept: str | None, chosen: str) -> None:
    assert choose_coding(accept, OFFERED) == chosen


def test_codings_without_a_library_are_left_out_and_none_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    usable_codings.cache_clear()
    monkeypatch.setitem(ENCODERS, "zstd", _missing)
    assert usable_codings(OFFERED) == ("br", "gzip")
    with pytest.raises(ValueError, match=r"pip install 'anysgi\[compression\]'"):
        usable_codings(("zstd",))
    with pytest.raises(ValueError, match="'snappy' is not one of zstd, br, gzip"):
        usable_codings(("snappy",))
    usable_codings.cache_clear()


def _missing(_level: int) -> object:
    raise ImportError("no zstd")


@pytest.mark.parametrize("coding", OFFERED)
@given(chunks=st.lists(st.binary(max_size=300), max_size=6), flush=st.booleans())
def test_what_was_encoded_decodes_to_the_same_bytes(coding: str, chunks: list[bytes], flush: bool) -> None:
    encoder, decoder = ENCODERS[coding](LEVELS[coding]), Decoder(coding, room=1 << 30, ratio=1e9)
    seen = sent = b""
    for chunk in chunks:
        seen += decoder.feed(encoder.feed(chunk) + (encoder.flush() if flush else b""))
        sent += chunk
        assert seen == sent or not flush
    seen += decoder.feed(encoder.finish()) + decoder.flush() + decoder.finish()
    assert seen == b"".join(chunks)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "zstd"])
@given(cuts=st.lists(st.integers(0, 200), max_size=4))
def test_members_one_after_another_are_one_body_however_they_are_cut(coding: str, cuts: list[int]) -> None:
    wire = _encode(coding, b"one, ") + _encode(coding, b"two")
    decoder = Decoder(coding, room=1 << 30, ratio=1e9)
    edges = sorted({0, *(min(cut, len(wire)) for cut in cuts), len(wire)})
    pieces = [decoder.feed(wire[a:b]) for a, b in pairwise(edges)]
    assert b"".join(pieces) + decoder.finish() == b"one, two"


def _encode(coding: str, data: bytes) -> bytes:
    if coding == "deflate":
        return zlib.compress(data)
    encoder = ENCODERS[coding.removeprefix("x-")](1)
    return encoder.feed(data) + encoder.finish()


@pytest.mark.parametrize("coding", OFFERED)
@pytest.mark.parametrize(
    ("bounds", "allowed"),
    [
        ({"room": 100_000, "ratio": 1e9}, 100_000),
        ({"room": 1 << 30, "ratio": 1.0}, 65_536),  # a ratio is not looked at before that
    ],
)
def test_a_bomb_is_refused_at_the_bound(coding: str, bounds: dict[str, float], allowed: int) -> None:
    bomb = _encode(coding, bytes(10_000_000))
    decoder = Decoder(coding, room=int(bounds["room"]), ratio=bounds["ratio"])
    with pytest.raises(BadRequest, match=f"over {allowed} bytes") as refused:
        _feed(decoder, bomb)
    assert refused.value.status == 413


def _feed(decoder: Decoder, wire: bytes) -> None:
    for at in range(0, len(wire), 64):
        decoder.feed(wire[at : at + 64])


@pytest.mark.parametrize("coding", OFFERED)
def test_a_body_exactly_at_the_bound_passes(coding: str) -> None:
    decoder = Decoder(coding, room=100_000, ratio=1e9)
    assert len(decoder.feed(_encode(coding, bytes(100_000)))) == 100_000
    assert decoder.finish() == b""


@pytest.mark.parametrize("coding", [*OFFERED, "deflate"])
def test_a_body_that_breaks_off_is_refused(coding: str) -> None:
    wire = (
        _encode(coding, b"hello " * 100) if coding != "br" else ENCODERS["br"](4).feed(b"") + _encode("br", b"hi" * 99)
    )
    decoder = Decoder(coding, room=1 << 30, ratio=1e9)
    decoder.feed(wire[:-1])
    with pytest.raises(BadRequest, match="middle of its coding") as refused:
        decoder.finish()
    assert refused.value.status == 400


@pytest.mark.parametrize("coding", [*OFFERED, "deflate"])
def test_garbage_is_refused(coding: str) -> None:
    with pytest.raises(BadRequest, match="cannot be decoded") as refused:
        Decoder(coding, room=1 << 30, ratio=1e9).feed(b"\xff\xfe this is not it" * 10)
    assert refused.value.status == 400


def test_garbage_behind_a_whole_member_is_refused() -> None:
    with pytest.raises(BadRequest, match="cannot be decoded"):
        Decoder("gzip", room=1 << 30, ratio=1e9).feed(gzip.compress(b"whole") + b"garbage")


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_without_end_cost_no_more_than_their_bytes(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each member copies what follows it: a body of empty ones in one piece was worth minutes."""
    copied = 0

    def counting() -> Any:
        member = MEMBERS[coding]()

        class Counting:
            eof = property(lambda self: member.eof)
            unused_data = property(lambda self: member.unused_data)

            def decompress(self, data: bytes, most: int) -> bytes:
                nonlocal copied
                copied += len(data)
                return member.decompress(data, most)

        return Counting()

    def cost(pieces: int) -> int:
        nonlocal copied
        copied = 0
        decoder = Decoder("counting", room=1 << 30, ratio=1e9)
        assert decoder.feed(_encode(coding, b"") * pieces) == b""
        return copied

    monkeypatch.setitem(MEMBERS, "counting", counting)
    assert cost(20_000) < 2.5 * cost(10_000)


def test_no_ratio_at_all_is_a_ratio() -> None:
    assert len(Decoder("gzip", room=100_000, ratio=math.inf).feed(gzip.compress(bytes(100_000)))) == 100_000


def test_no_body_at_all_is_no_error() -> None:
    assert Decoder("gzip", room=1 << 30, ratio=1e9).finish() == b""


@pytest.mark.parametrize(
    "read",
    [
        lambda text: choose_coding(text, OFFERED),
        lambda text: wanted_algorithm(text, ("sha-256",)),
        lambda text: render_problem(400, accept=text),
        type_judge(["text/*"]),
    ],
    ids=["Accept-Encoding", "Want-Content-Digest", "Accept", "Content-Type"],
)
def test_a_long_field_is_not_remembered(read: Callable[[str], object]) -> None:
    """A few hundred such requests were worth 30 MB of a process."""
    field = "text/plain;" + "a" * 10_000
    before = sys.getrefcount(field)
    read(field)
    assert sys.getrefcount(field) == before
