"""`body_limit`: no more than so many bytes, whatever the request says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi.middleware import Stack, body_limit, request_id
from anysgi.middleware._engine._request import Request

from ._driving import App, Drive


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"1234", 200),
        (b"12345", 200),  # exactly at the limit
        (b"123456", 413),
        ([b"123", b"45"], 200),
        ([b"123", b"45", b"6"], 413),
    ],
)
def test_a_body_over_the_limit_is_answered_413(drive: Drive, body: Any, status: int) -> None:
    app = App(b"hello", reads=True)
    answer = drive(body_limit(limit=5), app, method="POST", body=body)
    assert (answer.status, answer.error) == (status, None)
    if status == 200:
        assert app.received == (body if isinstance(body, bytes) else b"".join(body))
    else:
        assert "5 bytes at most" in answer.text


def test_an_announced_size_is_refused_before_the_app_is_called(drive: Drive) -> None:
    app = App(b"hello", reads=True)
    assert drive(body_limit(limit=5), app, method="POST", body=b"123456").status == 413
    assert app.calls == 0


def test_an_asgi_server_is_told_to_close_a_wsgi_server_may_not_be(drive: Drive) -> None:
    """PEP 3333, "Other HTTP Features": waitress answers 500 where a WSGI app names the connection."""
    answer = drive(body_limit(limit=5), App(b"hello"), method="POST", body=b"123456")
    assert answer.header("connection") == {"wsgi": None, "asgi": "close"}[drive.convention]


@pytest.mark.parametrize("length", ["five", "-1", "1_0", "9" * 5_000])
def test_a_length_that_is_no_number_is_answered_400(length: str) -> None:
    """Under ASGI the servers refuse it."""
    app = App(b"x", reads=True)
    answer = Drive("wsgi")(Stack(request_id(), body_limit(limit=5)), app, headers={"Content-Length": length})
    assert (answer.status, answer.error, app.calls) == (400, None, 0)
    assert answer.header("x-request-id")


def test_a_length_that_lies_low_does_not_help(drive: Drive) -> None:
    """The server cuts such a body off itself; one that does not is cut off here."""
    answer = drive(body_limit(limit=5), App(b"x", reads=True), body=[b"1234567"], headers={"X-Length": "1"})
    assert answer.status == 413


def test_an_app_that_never_reads_is_not_bothered(drive: Drive) -> None:
    assert drive(body_limit(limit=5), App(b"hello"), method="POST", body=[b"1234567"]).status == 200


def test_a_framework_that_makes_a_500_of_it_is_put_right(drive: Drive) -> None:
    assert drive(body_limit(limit=5), _swallowing(500), body=[b"1234567"]).status == 413


def test_an_answer_the_app_found_itself_stays(drive: Drive) -> None:
    assert drive(body_limit(limit=5), _swallowing(422), body=[b"1234567"]).status == 422


def test_an_error_of_the_app_itself_is_none_of_ours(drive: Drive) -> None:
    error = ValueError("mine")
    assert drive(body_limit(limit=5), App(raises=error), body=b"1").error is error


def test_the_limit_may_depend_on_the_request(drive: Drive) -> None:
    def by_path(request: Request) -> int | None:
        return None if request.path == "/upload" else 2

    for path, status in [("/upload", 200), ("/other", 413)]:
        assert drive(body_limit(limit=by_path), App(b"x", reads=True), path=path, body=b"123").status == status


def test_of_two_limits_the_smaller_counts(drive: Drive) -> None:
    for stack in (Stack(body_limit(limit=9), body_limit(limit=3)), Stack(body_limit(limit=3), body_limit(limit=9))):
        assert drive(stack, App(b"x", reads=True), body=[b"1234"]).status == 413


class _swallowing(App):
    """An app whose framework answers whatever its read raises."""

    def __init__(self, status: int) -> None:
        super().__init__(b"oops", reads=True)
        self.failed = status

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        try:
            return super().wsgi(environ, start_response)
        except ValueError:
            start_response(f"{self.failed} Oops", [])
            return [b"oops"]

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().asgi(scope, receive, send)
        except ValueError:
            await send({"type": "http.response.start", "status": self.failed, "headers": []})
            await send({"type": "http.response.body", "body": b"oops"})


@pytest.mark.parametrize("limit", ["10MB", -1, None, 1.5])
def test_a_limit_that_is_no_number_of_bytes_is_an_error_when_the_stack_is_built(limit: Any) -> None:
    with pytest.raises(ValueError, match="10_000_000"):
        body_limit(limit=limit)
