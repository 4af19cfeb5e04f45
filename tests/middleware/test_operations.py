"""`health`, `maintenance`, `method_override` and `load_shed`: what those who run an app need."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from anysgi.exceptions import StackError
from anysgi.middleware import Dual, health, load_shed, maintenance, method_override
from anysgi.middleware._places import Places
from anysgi.testing import TestClient

from ._driving import BOUND, App, Ask, Drive
from ._redis import clients

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


def test_a_client_of_asyncio_is_checked_on_trio_too(redis_port: int) -> None:
    with clients(redis_port) as store:
        app = health(App().asgi, checks={"redis": Dual(sync=store.sync.ping, asynchronous=store.asynchronous.ping)})
        with TestClient(app, backend="trio", lifespan="off") as client:
            assert client.get("/readyz").json() == {"status": "ok", "checks": {"redis": "ok"}}


def test_a_check_that_is_awaited_for_too_long_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    stack = health(checks={"ping": Dual(sync=bool, asynchronous=hangs)}, limit=0.01)
    assert check(Drive("asgi"), stack) == (503, {"status": "unavailable", "checks": {"ping": "failed"}})
    assert "TimeoutError" in caplog.text
    assert check(Drive("wsgi"), stack)[0] == 503  # bool() is False


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


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_probes_that_come_while_the_checks_run_start_none(backend: str) -> None:
    async def pings() -> None:
        started.append(anyio.Event())
        await started[-1].wait()

    async def probe(told: list[int]) -> None:
        async def send(message: Any) -> None:
            told.append(message.get("status", 0))

        await app({**SCOPE, "path": "/readyz"}, None, send)

    async def serve() -> None:
        for expected in ([503, 200], [200, 200]):  # at first nothing is known, later what was found before
            told: list[int] = []
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(probe, told)
                    await anyio.wait_all_tasks_blocked()
                started[-1].set()
            assert [status for status in told if status] == expected
        assert len(started) == 2
        with anyio.move_on_after(0.01):  # a probe that leaves is not waited for
            await probe([])
        async with anyio.create_task_group() as group:
            group.start_soon(probe, told := [])
            await anyio.wait_all_tasks_blocked()
            started[-1].set()
        assert told[0] == 200

    started: list[anyio.Event] = []
    app = health(App().asgi, checks={"ping": Dual(sync=bool, asynchronous=pings)}, cache=0)
    anyio.run(serve, backend=backend)


def test_a_check_that_hangs_is_not_hidden_by_what_was_found_before() -> None:
    drive = Drive("wsgi")
    inside: list[int] = []

    def another() -> None:
        inside.append(drive.serve(app, Ask(path="/readyz")).status)

    def check() -> None:
        for hanging in hangs:
            hanging()

    hangs: list[Any] = []
    app = drive.wrap(health(checks={"a": check}, cache=0, limit=1e-9), App())
    assert drive.serve(app, Ask(path="/readyz")).status == 200
    hangs.append(another)
    assert drive.serve(app, Ask(path="/readyz")).status == 200
    assert inside == [503]


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


class Line:
    """Requests through `load_shed(limit=1)` on one loop, of which each ends when it is told to."""

    def __init__(self, **options: Any) -> None:
        self.started: list[str] = []
        self.doors: dict[str, anyio.Event] = {}
        self.statuses: dict[str, int] = {}
        self._app = load_shed(self._serve, limit=1, **options)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.started.append(scope["path"])
        await self.doors[scope["path"]].wait()
        await App(b"x").asgi(scope, receive, send)

    async def ask(self, path: str) -> None:
        async def send(message: Any) -> None:
            self.statuses[path] = message.get("status", self.statuses.get(path))

        await self._app({**SCOPE, "path": path}, None, send)

    def join(self, group: Any, *paths: str) -> None:
        for path in paths:
            self.doors[path] = anyio.Event()
            group.start_soon(self.ask, path)


SCOPE = Ask().scope()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_few_may_wait_in_line(backend: str) -> None:
    async def serve() -> None:
        line = Line(queue=2, wait=BOUND)
        async with anyio.create_task_group() as group:
            line.join(group, "/1")
            await anyio.wait_all_tasks_blocked()
            line.join(group, "/2")
            await anyio.wait_all_tasks_blocked()
            line.join(group, "/3")
            await anyio.wait_all_tasks_blocked()
            line.join(group, "/4")
            await anyio.wait_all_tasks_blocked()
            assert (line.started, line.statuses) == (["/1"], {"/4": 503})
            for door in line.doors.values():
                door.set()
        assert line.started == ["/1", "/2", "/3"]
        assert line.statuses == {"/1": 200, "/2": 200, "/3": 200, "/4": 503}
        await line.ask("/1")  # the place is free again
        assert line.started[-1] == "/1"

    anyio.run(serve, backend=backend)


def test_who_waited_too_long_or_left_takes_no_place() -> None:
    async def serve() -> None:
        line = Line(queue=2, wait=0.01)
        async with anyio.create_task_group() as group:
            line.join(group, "/1", "/2")
            while "/2" not in line.statuses:
                await anyio.lowlevel.checkpoint()
            async with anyio.create_task_group() as leaving:
                line.join(leaving, "/3")
                await anyio.lowlevel.checkpoint()
                leaving.cancel_scope.cancel()
            line.doors["/1"].set()
        assert (line.started, line.statuses) == (["/1"], {"/1": 200, "/2": 503})
        await line.ask("/1")

    anyio.run(serve)


def test_a_place_given_to_someone_who_is_just_cancelled_is_left_again() -> None:
    async def serve() -> None:
        places = Places(1)
        assert places.take()
        waiting = asyncio.ensure_future(places.wait(BOUND, 1))
        await anyio.wait_all_tasks_blocked()
        places.leave()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert places.take()

    asyncio.run(serve())
