"""`csrf`: what a page of another site can make a browser send does not reach the app."""

from __future__ import annotations

import pytest

from anysgi.middleware import csrf

from ._driving import App, Drive


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),  # typed, bookmarked
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://partner.com"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.com"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.com"}, 200),  # the browser knows better
        ({}, 200),  # no browser
        ({"Origin": "https://testserver"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "https://TESTSERVER"}, 200),
        ({"Origin": "https://testserver:8443"}, 403),
        ({"Origin": "https://testserver.evil.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://partner.com"}, 200),
        ({"Origin": "https://evil.com"}, 403),
    ],
)
def test_a_post_passes_only_from_where_it_may(drive: Drive, headers: dict[str, str], status: int) -> None:
    app = App(b"done", reads=True)
    answer = drive(csrf(trusted="https://partner.com"), app, method="POST", headers=headers)
    assert (answer.status, app.calls) == (status, 1 if status == 200 else 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_passes(drive: Drive, method: str) -> None:
    assert drive(csrf(), method=method, headers={"Sec-Fetch-Site": "cross-site"}).status == 200


@pytest.mark.parametrize(("origin", "status"), [("https://evil.com", 403), ("https://testserver", 200)])
def test_a_handshake_that_is_a_plain_get_is_looked_at_too(drive: Drive, origin: str, status: int) -> None:
    headers = {"Upgrade": "WebSocket", "Connection": "Upgrade", "Origin": origin}
    assert drive(csrf(), headers=headers).status == status


def test_two_broken_hosts_are_not_the_same_host(drive: Drive) -> None:
    answer = drive(csrf(), method="POST", headers={"Origin": "https://", "Host": "not a host"})
    assert answer.status == 403


def test_a_webhook_is_named_with_skip(drive: Drive) -> None:
    stack = csrf(skip="/hooks/*")
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert drive(stack, method="POST", path="/hooks/payment", headers=headers).status == 200
    assert drive(stack, method="POST", path="/other", headers=headers).status == 403
