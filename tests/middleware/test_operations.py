"""`health`, `maintenance`, `method_override` and `load_shed`: what those who run an app need."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from anysgi.exceptions import StackError
from anysgi.middleware import Dual, health, load_shed, maintenance, method_override

from ._driving import App, Ask, Drive

if TYPE_CHECKING:
    from pathlib import Path


def check(drive: Drive, stack: Any, path: str = "/readyz") -> tuple[int, dict[str, Any]]:
    answer = drive(stack, App(b"the app"), path=path)
    return answer.status, json.loads(answer.body)


def test_a_process_that_answers_lives(drive: Drive) -> None:
    assert check(drive, health(), "/livez") == (200, {"status": "ok", "checks": {}})
    assert drive(health(), App(b"the app"), path="/").body == b"the app"
    assert drive(health(), App(b"the app"), path="/livez", method="POST").body == b"the app"
    assert drive(health(), path="/livez", method="HEAD").status == 200


def test_it_is_ready_when_every_check_passes(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise OSError("no route to the database")

    ready = health(checks={"a": lambda: True, "b": lambda: None})
    assert check(drive, ready) == (200, {"status": "ok", "checks": {"a": "ok", "b": "ok"}})
    stack = health(checks={"a": lambda: True, "b": broken, "c": lambda: False})
    assert check(drive, stack) == (
        503,
        {"status": "unavailable", "checks": {"a": "ok", "b": "failed", "c": "failed"}},
    )
    assert "no route to the database" in caplog.text
    assert check(drive, stack, "/livez")[0] == 200


def test_checks_may_do_io_in_their_convention(drive: Drive) -> None:
    async def apinged() -> str:
        return "asgi"

    stack = health(checks={"ping": Dual(sync=lambda: "wsgi", asynchronous=apinged)})
    assert check(drive, stack) == (200, {"status": "ok", "checks": {"ping": "ok"}})


def test_a_check_without_a_side_is_an_error_when_the_stack_is_built(drive: Drive) -> None:
    other = Dual(sync=bool) if drive.convention == "asgi" else Dual(asynchronous=bool)
    with pytest.raises(StackError, match="health cannot run under"):
        drive.wrap(health(checks={"ping": other}), App())


def test_results_are_used_again_for_a_while(drive: Drive) -> None:
    calls: list[int] = []
    stack = health(checks={"count": lambda: calls.append(1)}, cache=60)
    app = drive.wrap(stack, App())
    for _ in range(3):
        drive.serve(app, Ask(path="/readyz"))
    assert len(calls) == 1
    fresh = drive.wrap(health(checks={"count": lambda: calls.append(1)}, cache=0), App())
    for _ in range(3):
        drive.serve(fresh, Ask(path="/readyz"))
    assert len(calls) == 4


def test_a_process_about_to_stop_is_not_ready_and_lives(drive: Drive) -> None:
    stack = health(draining=lambda: True, checks={"a": lambda: True})
    assert check(drive, stack)[0] == 503
    assert check(drive, stack, "/livez")[0] == 200


def test_maintenance_is_a_file_a_function_or_a_value(drive: Drive, tmp_path: Path) -> None:
    switch = tmp_path / "maintenance"
    for stack in (maintenance(on=switch), maintenance(on=str(switch))):
        assert drive(stack).status == 200
        switch.touch()
        answer = drive(stack)
        assert (answer.status, answer.header("retry-after")) == (503, "300")
        switch.unlink()
        assert drive(stack).status == 200
    assert drive(maintenance(on=lambda: True)).status == 503
    assert drive(maintenance(on=False)).status == 200
    assert drive(maintenance(on=True)).status == 503


def test_those_who_do_it_get_through(drive: Drive) -> None:
    stack = maintenance(on=True, allow=["10.0.0.0/8"])
    assert drive(stack, client="10.1.2.3").status == 200
    assert drive(stack, client="192.0.2.1").status == 503
    assert drive(stack, client=None).status == 503


@pytest.mark.parametrize(
    ("method", "wanted", "seen"),
    [
        ("POST", "DELETE", "DELETE"),
        ("POST", "patch", "PATCH"),
        ("POST", None, "POST"),
        ("GET", "DELETE", "GET"),  # a link must not delete
        ("POST", "GET", None),
        ("POST", "CONNECT", None),
        ("POST", "", None),
    ],
)
def test_a_post_may_become_another_method(drive: Drive, method: str, wanted: str | None, seen: str | None) -> None:
    app = App(b"x")
    answer = drive(
        method_override(), app, method=method, headers={} if wanted is None else {"X-HTTP-Method-Override": wanted}
    )
    assert answer.status == (400 if seen is None else 200)
    assert (app.request.get("REQUEST_METHOD") or app.request.get("method")) == seen


def test_no_more_requests_at_once_than_allowed(drive: Drive) -> None:
    inside: list[int] = []
    stack = load_shed(limit=1, retry_after=7)

    def another() -> None:
        """A request that comes while the first one's body is on its way."""

        def run() -> None:
            answer = drive.serve(shared, Ask())
            inside.append(answer.status)
            assert answer.header("retry-after") == "7"

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(10)

    shared = drive.wrap(stack, App(b"one", another, shape="stream"))
    assert drive.serve(shared, Ask()).body == b"one"
    assert inside == [503]


@pytest.mark.parametrize(
    "app",
    [
        App(b"hello"),
        App(b"one", b"two", shape="stream"),
        App(raises=ValueError("no")),
        App(b"one", OSError("disk"), shape="stream"),
    ],
)
def test_a_place_is_given_back_however_a_request_ends(drive: Drive, app: App) -> None:
    shared = drive.wrap(load_shed(limit=1), app)
    for leaves_after in (None, 0, 1, None):
        assert drive.serve(shared, Ask(), leaves_after).status != 503


def test_no_place_at_all_is_an_error_when_the_stack_is_built() -> None:
    with pytest.raises(ValueError, match="write 1 or more"):
        load_shed(limit=0)
