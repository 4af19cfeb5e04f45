"""`errors`: an answer the client can read, and a line in the log."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from anysgi.exceptions import BadRequest, RequestTimeout
from anysgi.middleware import Flow, Request, Response, Stack, errors, middleware, request_id

from ._driving import App, Drive


def test_an_exception_is_answered_and_logged_and_not_shown(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    answer = drive(errors(), App(raises=RuntimeError("the password is swordfish")), method="POST", path="/pay")
    assert (answer.status, answer.error, answer.complete) == (500, None, True)
    assert answer.header("content-type") == "application/problem+json"
    assert json.loads(answer.body)["title"] == "Internal Server Error"
    assert b"swordfish" not in answer.body
    [record] = caplog.records
    assert record.getMessage() == "POST '/pay' failed"
    assert record.exc_info
    assert "swordfish" in str(record.exc_info[1])


@pytest.mark.parametrize("accept", ["text/html", "text/plain", "application/json"])
def test_in_the_media_type_the_client_likes(drive: Drive, accept: str) -> None:
    answer = drive(errors(), App(raises=RuntimeError("no")), headers={"Accept": accept})
    assert (answer.header("content-type") or "").startswith(accept.replace("/json", "/problem+json"))
    assert answer.header("vary") == "accept"


def test_exceptions_may_have_statuses_of_their_own(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    stack = errors(statuses={LookupError: 404, TimeoutError: 504})
    answer = drive(stack, App(raises=KeyError("no such user")))
    assert (answer.status, "no such user" in answer.text, caplog.records) == (404, True, [])
    answer = drive(stack, App(raises=TimeoutError("the database at 10.0.0.7")))
    assert (answer.status, "10.0.0.7" in answer.text, len(caplog.records)) == (504, False, 1)


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyError("a"), 410), (IndexError("a"), 404), (RequestTimeout("late"), 503), (ValueError("a"), 502)],
)
def test_the_nearest_class_decides(drive: Drive, error: Exception, status: int) -> None:
    statuses = {Exception: 502, LookupError: 404, KeyError: 410, RequestTimeout: 503}
    assert drive(errors(statuses=statuses), App(raises=error)).status == status


def test_a_path_cannot_forge_a_line_of_the_log(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    drive(errors(), App(raises=RuntimeError("no")), path="/\nERROR:root:all is lost")
    assert "\n" not in caplog.records[0].getMessage()


def test_a_bad_request_is_the_clients_fault(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    answer = drive(errors(), App(raises=BadRequest("too long", 414)))
    assert (answer.status, "too long" in answer.text, caplog.records) == (414, True, [])


def test_the_id_of_the_request_is_in_the_answer(drive: Drive) -> None:
    stack = Stack(request_id(), errors())
    answer = drive(stack, App(raises=RuntimeError("no")), headers={"X-Request-ID": "abc"})
    assert json.loads(answer.body)["request_id"] == "abc"
    assert answer.header("x-request-id") == "abc"


def test_after_the_head_the_exception_passes_on(drive: Drive) -> None:
    error = OSError("the disk")
    answer = drive(errors(), App(b"one", error, shape="stream"))
    assert (answer.status, answer.error, answer.complete) == (200, error, False)


def test_an_error_of_an_inner_layer_is_answered_too(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    @middleware
    def broken(request: Request) -> Flow:
        response: Response = yield request
        response.headers.add("x", undefined(response))

    def undefined(_response: Response) -> Any:
        raise NameError("typo")

    app = App(b"hello")
    answer = drive(Stack(errors(), broken()), app)
    assert (answer.status, answer.error, app.calls) == (500, None, 1)
    assert caplog.records[0].levelno == logging.ERROR


def test_what_goes_well_is_left_alone(drive: Drive) -> None:
    assert drive(errors(), App(b"no", status=404)).body == b"no"
