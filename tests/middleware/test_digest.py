"""`digest`: what bodies are, said and checked."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any

import pytest

from anysgi.middleware import Stack, compress, conditional, digest
from anysgi.middleware._digests import digest_field

from ._driving import App, Drive
from .test_digests import OF_HELLO

WANT = {"Want-Content-Digest": "sha-256=1"}


def test_a_body_at_hand_gets_the_digest_the_client_asked_for(drive: Drive) -> None:
    assert drive(digest(), App(b"hello"), headers=WANT).header("content-digest") == OF_HELLO
    assert drive(digest(kind="repr"), App(b"hello"), headers={"Want-Repr-Digest": "sha-256=1"}).header(
        "repr-digest"
    ) == (OF_HELLO)


def test_without_a_wish_there_is_one_only_if_always_is_set(drive: Drive) -> None:
    assert drive(digest(), App(b"hello")).header("content-digest") is None
    assert drive(digest(always=True), App(b"hello")).header("content-digest") == OF_HELLO
    unwanted = {"Want-Content-Digest": "sha-256=0, sha-512=0"}
    assert drive(digest(always=True), App(b"hello"), headers=unwanted).header("content-digest") is None


def test_streams_get_none(drive: Drive) -> None:
    app = App(b"he", b"llo", shape="stream")
    assert drive(digest(), app, headers=WANT).header("content-digest") is None


@pytest.mark.parametrize("kind", ["content", "repr"])
def test_the_digest_is_that_of_the_bytes_an_inner_layer_made(drive: Drive, kind: Any) -> None:
    stack = Stack(digest(kind=kind, always=True), compress(minimum_size=0, codings=["gzip"]))
    app = App(b"hello" * 100, headers={"Content-Type": "text/plain"})
    answer = drive(stack, app, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.body) == b"hello" * 100
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header(f"{kind}-digest") == digest_field("sha-256", hashlib.sha256(answer.body).digest())
    assert drive(stack, app, headers={"Accept-Encoding": "gzip"}, method="HEAD").header(f"{kind}-digest") is None


def test_a_part_has_no_digest_of_the_whole(drive: Drive) -> None:
    for kind, field, found in [("content", "content-digest", OF_HELLO), ("repr", "repr-digest", None)]:
        stack = digest(kind=kind, always=True)
        assert drive(stack, App(b"hello", status=206)).header(field) == found


def test_a_304_has_no_digest_of_content_that_is_not_sent(drive: Drive) -> None:
    stack = Stack(digest(always=True), conditional())
    answer = drive(stack, App(b"hello", headers={"ETag": '"a"'}), headers={"If-None-Match": '"a"'})
    assert (answer.status, answer.header("content-digest")) == (304, None)


@pytest.mark.parametrize("body", [b"hello", [b"he", b"llo"]])
def test_a_request_body_that_is_what_it_says_passes(drive: Drive, body: Any) -> None:
    app = App(b"thanks", reads=True)
    answer = drive(digest(), app, method="POST", body=body, headers={"Content-Digest": OF_HELLO})
    assert (answer.status, app.received) == (200, b"hello")


def test_an_app_that_reads_no_further_than_the_length_reads_what_was_verified() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [])
        return [body]

    for body, status in [(b"hello", 200), (b"hullo", 400)]:
        assert Drive("wsgi")(digest(), app, body=body, headers={"Content-Digest": OF_HELLO}).status == status


@pytest.mark.parametrize("body", [b"hullo", [b"hel", b"p"]])
def test_a_request_body_that_is_another_is_refused(drive: Drive, body: Any) -> None:
    answer = drive(digest(), App(b"x", reads=True), method="POST", body=body, headers={"Content-Digest": OF_HELLO})
    assert (answer.status, answer.error) == (400, None)
    assert "Content-Digest" in answer.text


def test_a_claim_nobody_can_read_is_refused_before_the_app_is_called(drive: Drive) -> None:
    app = App(b"x", reads=True)
    assert drive(digest(), app, body=b"x", headers={"Content-Digest": "nonsense here"}).status == 400
    assert app.calls == 0


def test_a_field_that_is_longer_than_any_digest_is_not_read(drive: Drive) -> None:
    endless = {"Content-Digest": OF_HELLO + ", a" * 1_000, "Want-Content-Digest": "sha-256=1" + ", a" * 1_000}
    assert drive(digest(), App(b"x", reads=True), body=b"hello", headers=endless).status == 400
    assert drive(digest(verify=False), App(b"hello"), headers=endless).header("content-digest") is None


def test_claims_may_be_required_or_left_alone(drive: Drive) -> None:
    assert drive(digest(required=True), App(b"x", reads=True), body=b"x").status == 400
    assert drive(digest(required=True), App(b"x", reads=True)).status == 200
    assert drive(digest(required=True), App(b"x", reads=True), body=[b"no ", b"length"]).status == 400
    assert drive(digest(required=True), App(b"x", reads=True), body=[]).status == 200
    wrong = {"Content-Digest": "sha-256=:AAAA:"}
    unverified = digest(required=True, verify=False)
    assert drive(unverified, App(b"x", reads=True), body=b"x", headers=wrong).status == 200
    assert drive(unverified, App(b"x", reads=True), body=b"x").status == 400
    answer = drive(digest(verify=False), App(b"x", reads=True), body=b"x", headers={"Content-Digest": OF_HELLO})
    assert answer.status == 200


def test_an_algorithm_nobody_trusts_is_an_error_when_the_stack_is_built() -> None:
    with pytest.raises(ValueError, match="'md5' is not one of sha-256, sha-512"):
        digest(algorithms=["md5"])
