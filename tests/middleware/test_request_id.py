"""`request_id`: one id in the request, the response, the context and the log, whoever gave it."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from anysgi.middleware import RequestIdFilter, current_request_id, request_id

from ._driving import App, Drive

FRESH = re.compile(r"[0-9a-f]{32}")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def seen_by(app: App) -> str | None:
    """The id in the headers of the request the app got."""
    headers = dict(app.request.get("headers", ()))
    return app.request.get("HTTP_X_REQUEST_ID") or headers.get(b"x-request-id", b"").decode() or None


def test_a_request_without_an_id_gets_one(drive: Drive) -> None:
    app = App(b"hello")
    found = drive(request_id(), app).header("x-request-id")
    assert found is not None
    assert FRESH.fullmatch(found)
    assert seen_by(app) == found


def test_the_id_of_the_client_is_kept(drive: Drive) -> None:
    app = App(b"hello")
    assert drive(request_id(), app, headers={"X-Request-ID": "abc-1"}).header("x-request-id") == "abc-1"
    assert seen_by(app) == "abc-1"


@pytest.mark.parametrize("forged", ["", "a b", "a\tb", "x" * 129, 'a"b', "\xe9", "a,b"])
def test_an_id_that_could_harm_is_replaced(drive: Drive, forged: str) -> None:
    app = App(b"hello")
    found = drive(request_id(), app, headers={"X-Request-ID": forged}).header("x-request-id")
    assert found is not None
    assert FRESH.fullmatch(found)
    assert seen_by(app) == found


def test_an_id_of_an_untrusted_client_is_replaced(drive: Drive) -> None:
    assert drive(request_id(trusted=False), headers={"X-Request-ID": "abc"}).header("x-request-id") != "abc"


@pytest.mark.parametrize(
    ("trace", "taken"),
    [
        (TRACE, True),
        (TRACE.upper(), False),
        ("ff" + TRACE[2:], False),
        (TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32), False),
        ("cc" + TRACE[2:] + "-later", True),
    ],
)
def test_a_valid_traceparent_gives_the_id(drive: Drive, trace: str, taken: bool) -> None:
    found = drive(request_id(traceparent=True), headers={"traceparent": trace}).header("x-request-id")
    assert (found == "4bf92f3577b34da6a3ce929d0e0e4736") is taken


def test_the_id_is_there_for_the_app_its_body_and_the_log_and_gone_afterwards(drive: Drive) -> None:
    ids: list[Any] = []

    def chunk() -> bytes:
        record = logging.makeLogRecord({})
        assert RequestIdFilter().filter(record)
        ids.append((current_request_id(), record.request_id))
        return b"x"

    drive(request_id(), App(chunk, chunk, shape="stream"), headers={"X-Request-ID": "abc"})
    assert ids == [("abc", "abc"), ("abc", "abc")]
    assert current_request_id() is None


def test_outside_of_a_request_the_filter_says_so() -> None:
    record = logging.makeLogRecord({})
    RequestIdFilter(default="none").filter(record)
    assert record.request_id == "none"


def test_header_and_generator_can_be_chosen(drive: Drive) -> None:
    stack = request_id(header="X-Correlation-ID", generate=lambda: "made")
    assert drive(stack).header("x-correlation-id") == "made"


def test_an_id_the_app_set_is_replaced_by_the_one(drive: Drive) -> None:
    app = App(b"hello", headers={"X-Request-Id": "other"})
    assert drive(request_id(), app, headers={"X-Request-ID": "abc"}).getlist("x-request-id") == ["abc"]


def test_an_id_may_be_made_into_another(drive: Drive) -> None:
    app = App(b"hello")
    found = drive(request_id(transform=lambda value: value[:3]), app, headers={"X-Request-ID": "abcdef"})
    assert (found.header("x-request-id"), seen_by(app)) == ("abc", "abc")
