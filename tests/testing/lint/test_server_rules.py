"""Each rule that only the wire can tell has a server that breaks it and a legal one that comes close."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from anysgi.testing import Report, ServedApp, check_asgi_server, check_wsgi_server
from anysgi.testing._lint._asgi_rules import ASGI
from anysgi.testing._lint._wsgi_rules import WSGI
from anysgi.testing._servers import _wire

from . import _asgi_server_cases, _wsgi_server_cases
from ._asgi_server_cases import Serve, by_hypercorn, by_uvicorn
from ._wsgi_server_cases import AsksOnce, CutsOff, by_wsgiref, wsgiref_with

BESIDES = {rule: {"A012", "A112"} for rule in ("A012", "A112")}  # uvicorn's --lifespan on refuses both
PAIRS = _asgi_server_cases.PAIRS | _wsgi_server_cases.PAIRS


def check(rule: str, serve: Serve) -> Report:
    return (check_asgi_server if rule.startswith("A") else check_wsgi_server)(serve)


@pytest.mark.parametrize("rule", PAIRS)
def test_a_server_that_breaks_a_rule_is_found(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wire, "BOUND", 1.0)
    failed = {result.name for result in check(rule, PAIRS[rule][0]).failures}
    assert failed == BESIDES.get(rule, {rule})


@pytest.mark.parametrize("rule", PAIRS)
def test_a_server_that_nearly_breaks_it_is_not(rule: str) -> None:
    report = check(rule, PAIRS[rule][1])
    assert [str(result) for result in report.failures] == []
    assert rule in [result.name for result in report if not result.detail], "it was tried"


def test_every_rule_of_servers_has_its_servers_and_its_check() -> None:
    rules = ASGI.rules | WSGI.rules
    ours = {rule.id for rule in rules.values() if rule.decided_by == "server check"}
    assert set(PAIRS) == ours
    assert {result.name for serve in (by_uvicorn,) for result in check_asgi_server(serve)} | {
        result.name for result in check_wsgi_server(by_wsgiref)
    } == ours


def test_a_log_that_is_not_given_is_not_judged() -> None:
    @contextmanager
    def silent(app: Any) -> Iterator[ServedApp]:
        with by_wsgiref(app) as served:
            yield ServedApp(served.port)

    [result] = [result for result in check_wsgi_server(silent) if result.detail]
    assert str(result) == "--   W066: not tried: its log is not given"


# what a server lacks, and other ways to break a rule


async def takes_no_socket(app: Any, scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        return await send({"type": "websocket.close"})
    return await app(scope, receive, send)


async def says_hello_first(app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def greeting(message: Any) -> None:
        await send(message)
        if message["type"] == "websocket.accept":
            await send({"type": "websocket.close"})

    await app(scope, receive, greeting)


async def never_answers(app: Any, scope: Any, receive: Any, send: Any) -> None:
    await (receive if scope["path"] == "/sends-headers-in-order" else partial(app, scope, receive, send))()
    while scope["path"] == "/sends-headers-in-order" and (await receive())["type"] != "http.disconnect":
        pass


async def pushes_nothing(app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def dropping(message: Any) -> None:
        if message["type"] != "http.response.push":
            await send(message)

    await app(scope, receive, dropping)


def outcomes(serve: Serve) -> dict[str, str]:
    return {result.name: str(result) for result in check_asgi_server(serve) if result.detail}


def test_a_server_without_websockets_is_not_tried_on_them() -> None:
    told = outcomes(partial(by_uvicorn, habit=takes_no_socket))
    assert told.keys() == {"A097", "A101", "A122"}
    assert told["A097"].startswith("--   A097: not tried: it takes no WebSocket: RejectConnection(status_code=403")


def test_a_websocket_that_ends_too_soon_is_told() -> None:
    told = outcomes(partial(by_uvicorn, habit=says_hello_first))
    assert told["A097"].startswith("FAIL A097: instead of an answer comes CloseConnection(code=")


def test_a_server_that_is_silent_is_told_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wire, "BOUND", 0.5)
    assert outcomes(partial(by_uvicorn, habit=never_answers))["A069"] == "FAIL A069: nothing comes within 0.5 s"


def test_a_server_that_stops_asking_is_told_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wire, "BOUND", 0.5)
    told = {result.name: result.detail for result in check_wsgi_server(wsgiref_with(AsksOnce)).failures}
    assert told["W058"] == "the app does not get on within 0.5 s"


def test_a_server_that_offers_no_push_is_not_tried_on_it() -> None:
    without = _asgi_server_cases.with_scope(lambda scope: {"extensions": {}})
    assert outcomes(partial(by_hypercorn, habit=without))["A122"] == "--   A122: not tried: it offers no push"


def test_a_server_that_cuts_a_failed_request_off_breaks_nothing() -> None:
    assert check_wsgi_server(wsgiref_with(CutsOff)).failures == []


def test_a_push_that_never_comes_is_told() -> None:
    told = outcomes(partial(by_hypercorn, habit=pushes_nothing))["A122"]
    assert told == "FAIL A122: nothing is pushed"
