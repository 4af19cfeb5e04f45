"""Digest fields, without a request."""

from __future__ import annotations

import pytest

from anysgi.exceptions import BadRequest
from anysgi.middleware._digests import Verifier, digest_field, wanted_algorithm

BOTH = ("sha-256", "sha-512")
OF_HELLO = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"


@pytest.mark.parametrize(
    ("want", "algorithm"),
    [
        (None, "sha-256"),
        ("sha-512=3, sha-256=10, md5=10", "sha-256"),
        ("sha-512=10, sha-256=1", "sha-512"),
        ("sha-512=5", "sha-512"),
        ("sha-256=0", None),
        ("sha-256=0, sha-512=1", "sha-512"),
        ("md5=10", None),
        ("sha-256=high", None),
        ("", None),
        ("=", None),
        ("\u20ac", None),
    ],
)
def test_the_algorithm_is_the_one_the_client_weighs_most(want: str | None, algorithm: str | None) -> None:
    assert wanted_algorithm(want, BOTH) == algorithm


def test_the_field_is_a_structured_dictionary() -> None:
    import hashlib

    assert digest_field("sha-256", hashlib.sha256(b"hello").digest()) == OF_HELLO


def test_a_body_that_fits_its_digest_passes_however_it_is_cut() -> None:
    verifier = Verifier(OF_HELLO + ", md5=:aaaa:")  # one nobody trusts is not looked at
    assert verifier.feed(b"hel") + verifier.feed(b"lo") + verifier.flush() + verifier.finish() == b"hello"


def test_every_digest_given_must_fit() -> None:
    verifier = Verifier(f"{OF_HELLO}, sha-512=:AAAA:")
    verifier.feed(b"hello")
    with pytest.raises(BadRequest, match="not the one Content-Digest describes by its sha-512"):
        verifier.finish()


@pytest.mark.parametrize("field", ["", "md5=:aaaa:", "sha-256=:unterminated", "\u20ac", "nonsense here"])
def test_a_field_that_says_nothing_is_refused(field: str) -> None:
    with pytest.raises(BadRequest, match="Content-Digest"):
        Verifier(field)
