"""Padding that is no content: every way to cut a body, every decoder at hand."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi.middleware._decoders import Decoder
from anysgi.middleware._encoders import ENCODERS, LEVELS
from anysgi.middleware._padding import MOST, padded
from anysgi.middleware._zstd import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

DECODERS: dict[str, list[Callable[[bytes], Any]]] = {
    "gzip": [gzip.decompress],
    "br": [brotli.decompress],
    "zstd": [zstd.decompress, lambda wire: zstd.ZstdDecompressor().decompress(wire)],  # one that reads one frame alone
}


@pytest.mark.parametrize("coding", [*ENCODERS])
@given(pieces=st.lists(st.binary(max_size=200)), length=st.integers(0, MOST), flushes=st.booleans())
def test_decoders_pass_over_it(coding: str, pieces: list[bytes], length: int, flushes: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anysgi.middleware._padding.randbelow", lambda most: length)
        encoder = padded(coding, ENCODERS[coding](LEVELS[coding]), MOST)
    wire = b""
    for piece in pieces:
        wire += encoder.feed(piece) if piece else b""
        wire += encoder.flush() if flushes else b""
    wire += encoder.finish()
    decoder = Decoder(coding, room=1 << 20, ratio=1e9)
    body = b"".join(decoder.feed(wire[at : at + 1]) for at in range(len(wire)))
    assert (body, decoder.finish()) == (b"".join(pieces), b"")
    assert [decode(wire) for decode in DECODERS[coding]] == [body] * len(DECODERS[coding])
