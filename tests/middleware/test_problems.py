"""Errors in the words of whoever asked."""

from __future__ import annotations

import json

import pytest

from anysgi.middleware._engine._problems import render_problem

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/problem+json"),
        ("*/*", "application/problem+json"),
        ("application/json", "application/problem+json"),
        ("application/problem+json", "application/problem+json"),
        (BROWSER, "text/html"),
        ("text/plain", "text/plain"),
        ("text/*", "text/html"),
        ("image/png", "text/plain"),
        ("text/html;q=0, */*", "application/problem+json"),
        ("a" * 5_000, "application/problem+json"),
    ],
)
def test_the_media_type_is_the_one_the_client_likes(accept: str | None, kind: str) -> None:
    content_type, body = render_problem(404, "Nothing here.", accept)
    assert content_type.partition(";")[0] == kind
    assert b"Not Found" in body
    assert b"Nothing here." in body


def test_json_is_rfc_9457s() -> None:
    _, body = render_problem(503, "Too busy.", None, {"request_id": "7"})
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Too busy.",
        "request_id": "7",
    }
    assert "detail" not in json.loads(render_problem(503)[1])


def test_nothing_in_a_page_is_markup() -> None:
    _, body = render_problem(400, "<script>", BROWSER, {"request_id": "<b>"})
    assert b"<script>" not in body
    assert b"&lt;script&gt;" in body
    assert b"&lt;b&gt;" in body


def test_a_status_without_a_name_has_a_title_too() -> None:
    assert b"299 Error" in render_problem(299, accept="text/plain")[1]
