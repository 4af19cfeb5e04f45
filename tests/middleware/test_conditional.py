"""`conditional`: what the client has is not sent again."""

from __future__ import annotations

import pytest

from anysgi.middleware import conditional

from ._driving import App, Drive

OWN = {"ETag": '"a"', "Content-Type": "text/plain", "Cache-Control": "max-age=5", "Vary": "Cookie", "X-Own": "1"}


def test_a_body_at_hand_gets_an_etag_which_then_saves_its_transfer(drive: Drive) -> None:
    first = drive(conditional(), App(b"hello"))
    etag = first.header("etag")
    assert etag is not None
    assert (first.status, first.body) == (200, b"hello")
    again = drive(conditional(), App(b"hello"), headers={"If-None-Match": etag})
    assert (again.status, again.body, again.header("etag")) == (304, b"", etag)
    assert again.header("content-length") is None
    changed = drive(conditional(), App(b"hello!"), headers={"If-None-Match": etag})
    assert (changed.status, changed.body) == (200, b"hello!")


def test_a_304_keeps_what_caches_need_and_nothing_of_the_body(drive: Drive) -> None:
    app = App(b"hello", headers={**OWN, "Content-Digest": "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"})
    answer = drive(conditional(), app, headers={"If-None-Match": '"a"'})
    assert answer.status == 304
    assert dict(answer.headers) == {"etag": '"a"', "cache-control": "max-age=5", "vary": "Cookie", "x-own": "1"}


def test_an_expectation_that_fails_is_answered_412(drive: Drive) -> None:
    answer = drive(conditional(), App(b"hello", headers=OWN), headers={"If-Match": '"b"'})
    assert answer.status == 412
    assert b"hello" not in answer.body


def test_dates_do_too(drive: Drive) -> None:
    app = App(b"hello", headers={"Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"})
    headers = {"If-Modified-Since": "Mon, 02 Nov 2026 10:00:00 GMT"}
    assert drive(conditional(etag=False), app, headers=headers).status == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_are_the_apps_to_judge(drive: Drive, method: str) -> None:
    answer = drive(conditional(), App(b"hello", headers=OWN), method=method, headers={"If-Match": '"b"'})
    assert (answer.status, answer.body) == (200, b"hello")


@pytest.mark.parametrize("status", [201, 206, 404, 500])
def test_other_statuses_are_not_judged(drive: Drive, status: int) -> None:
    app = App(b"hello", status=status, headers=OWN)
    assert drive(conditional(), app, headers={"If-None-Match": "*"}).status == status


@pytest.mark.parametrize(
    "app",
    [
        App(b"one", b"two", shape="stream"),
        App(b"hello", headers={"Cache-Control": "no-store"}),
        App(b"x" * 11),
        App(b""),
    ],
)
def test_no_etag_for_streams_for_what_is_not_stored_and_for_what_is_large(drive: Drive, app: App) -> None:
    answer = drive(conditional(max_size=10), app)
    assert answer.header("etag") is None
    assert answer.status == 200


def test_head_is_judged_by_the_apps_own_etag(drive: Drive) -> None:
    answer = drive(conditional(), App(headers=OWN), method="HEAD", headers={"If-None-Match": '"a"'})
    assert answer.status == 304
    assert drive(conditional(), App(headers={"X-Own": "1"}), method="HEAD").header("etag") is None


def test_the_body_of_a_304_is_not_sent_and_the_app_is_not_disturbed(drive: Drive) -> None:
    app = App(b"one", b"two", shape="stream", headers=OWN)
    answer = drive(conditional(), app, headers={"If-None-Match": '"a"'})
    assert (answer.status, answer.body, answer.error, answer.complete) == (304, b"", None, True)
    assert app.closed == (1 if drive.convention == "wsgi" else 0)
