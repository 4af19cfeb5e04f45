"""`ShadowCompare`: both sides of a router held against each other, on the traffic there is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from anysgi import AsgiToWsgi
from anysgi.migration import Route, Router, RouteTable, ShadowCompare
from anysgi.testing import Scenario, arun, run

from ..conftest import BOUND, eventually
from .apps.twins.new import make
from .apps.twins.old import app as flask_shop

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(params=["wsgi", "asgi"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.param


def serve(
    server: str,
    shadow: ShadowCompare,
    new: Any,
    to: Any,
    *paths: str,
    compared: int,
    method: str = "GET",
    legacy: Any = flask_shop,
    until: Callable[[], bool] = lambda: True,
) -> None:
    """Serve requests through a router, and wait until so many have been compared, or something else has happened."""
    table = RouteTable((Route("/<path:rest>", to, shadow="compare"),))
    router = Router(legacy, new, table=table, switches=(), shadow=shadow)
    scenarios = [Scenario(method, path, {"accept": "*/*"}) for path in paths]

    async def on_a_loop() -> None:
        for scenario in scenarios:
            assert (await arun(router.asgi, scenario)).status
        async with asyncio.timeout(BOUND):
            while shadow.compared < compared or not until():
                await asyncio.sleep(0.001)

    try:
        if server == "asgi":
            asyncio.run(on_a_loop())
        else:
            for scenario in scenarios:
                assert run(router.wsgi, scenario).status
            assert eventually(lambda: shadow.compared >= compared and until())
    finally:
        router.close()


@pytest.mark.parametrize("to", ["legacy", "new"])
def test_twins_do_not_differ_and_noise_is_none_of_it(server: str, to: str) -> None:
    shadow = ShadowCompare(budget=1)
    serve(server, shadow, make(), to, "/items", "/items/9", "/now", "/page", compared=4)
    assert (shadow.compared, shadow.dropped, shadow.latest()) == (4, 0, [])


@pytest.mark.parametrize("to", ["legacy", "new"])
def test_a_mistake_is_told_with_route_request_and_place(server: str, to: str) -> None:
    shadow = ShadowCompare(budget=1)
    serve(server, shadow, make("renamed key"), to, "/items/1?full=1", compared=1)
    newest, older = shadow.latest()
    assert newest.request == older.request == "GET /items/1?full=1"
    assert older.what == 'json $.name: "Tea" became nothing'
    assert newest.what == 'json $.title: nothing became "Tea"'


def test_a_new_side_that_crashes_is_a_difference_and_harms_nobody(server: str) -> None:
    shadow = ShadowCompare(budget=1)
    serve(server, shadow, make("crash"), "legacy", "/items", compared=1)
    told = [difference.what for difference in shadow.latest()]
    assert any("200 became 500" in what or "RuntimeError" in what for what in told)


def test_a_route_whose_new_side_hangs_is_left_alone_after_a_few_times(
    server: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.append(scope["path"])
            await asyncio.Event().wait()

    shadow, new = ShadowCompare(budget=1, timeout=0.05), AsgiToWsgi(hangs, timeout=0.5)
    serve(server, shadow, new, "legacy", *["/items"] * 5, compared=3, until=lambda: shadow._worker is None)
    serve(server, shadow, new, "legacy", "/items", compared=3)
    assert (len(asked), shadow.compared, shadow.passed) == (3, 3, 3)
    assert [told.what for told in shadow.latest()] == ["error answer: 200 became the app did not end within 0.05 s"] * 3
    assert caplog.text.count("is not compared any more") == 1


def test_a_legacy_that_wavers_once_does_not_hide_a_new_side_that_fails(server: str) -> None:
    statuses = iter(["200 OK", "503 Busy"])

    def wavers(environ: Any, start_response: Any) -> Any:
        start_response(next(statuses, "200 OK"), [])
        return [b""]

    shadow = ShadowCompare(budget=1)
    serve(server, shadow, make("crash"), "legacy", "/items", "/items", compared=1, legacy=wavers)
    assert shadow.compared == 1
    assert any("became 500" in told.what or "RuntimeError" in told.what for told in shadow.latest())


def test_what_may_change_data_is_not_asked_again(server: str) -> None:
    shadow = ShadowCompare(budget=1)
    serve(server, shadow, make(), "legacy", "/items", compared=0, method="POST")
    assert shadow.compared == 0


def test_a_share_a_full_queue_and_a_large_body_are_left_out(server: str) -> None:
    for shadow in (ShadowCompare(sample=0), ShadowCompare(max_body=1, budget=1)):
        serve(server, shadow, make(), "legacy", "/items", compared=0)
        assert shadow.compared == shadow.dropped == 0
    full = ShadowCompare(queue_limit=0, budget=1)
    serve(server, full, make(), "legacy", "/items", "/page", compared=0)
    assert (full.compared, full.dropped) == (0, 2)


def test_places_can_be_ignored() -> None:
    shadow = ShadowCompare(budget=1, ignore=["$.name", "$.title"])
    serve("wsgi", shadow, make("renamed key"), "legacy", "/items/1", compared=1)
    assert not shadow.latest()


def test_one_place_to_ignore_needs_no_list() -> None:
    shadow = ShadowCompare(budget=1, ignore="$.name")
    serve("wsgi", shadow, make("renamed key"), "legacy", "/items/1", compared=1)
    assert [told.what for told in shadow.latest()] == ['json $.title: nothing became "Tea"']


@pytest.mark.parametrize("options", [{"sample": 7}, {"sample": -1}, {"budget": 0}, {"budget": 2}])
def test_a_share_that_is_none_is_an_error(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"write a share"):
        ShadowCompare(**options)


def test_after_a_comparison_it_rests_and_lets_requests_pass(server: str) -> None:
    shadow = ShadowCompare(budget=0.000_001)  # a comparison that took a millisecond is followed by a quarter of an hour
    serve(server, shadow, make(), "legacy", "/items", compared=1)
    assert eventually(lambda: shadow._rests_until > 0)
    serve(server, shadow, make(), "legacy", "/items", "/page", compared=1)
    assert (shadow.compared, shadow.passed, shadow.dropped) == (1, 2, 0)


def test_a_comparison_that_fails_is_logged_and_the_next_one_is_made(
    server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shadow = ShadowCompare(budget=1)
    with monkeypatch.context() as broken:
        broken.setattr("anysgi.migration._compare._shadowing.find_differences", lambda *_: 1 / 0)
        said = lambda: "a comparison failed" in caplog.text  # noqa: E731
        serve(server, shadow, make(), "legacy", "/items", compared=0, until=said)
    serve(server, shadow, make("renamed key"), "legacy", "/items/1", compared=1)
    assert shadow.latest()


def test_a_loop_that_ends_in_between_takes_no_later_one_along() -> None:
    shadow = ShadowCompare(budget=0.000_001)
    serve("asgi", shadow, make(), "legacy", "/items", compared=1)
    shadow._rests_until = 0
    serve("asgi", shadow, make(), "legacy", "/items", "/page", "/plain", compared=2)  # two more wait as the loop ends
    shadow._rests_until = 0
    serve("asgi", shadow, make(), "legacy", "/items", compared=3)
