"""Each rule that only the wire can tell has a server that breaks it and a legal one that comes close."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from anysgi.testing import Report, ServedApp, check_asgi_server, check_wsgi_server
from anysgi.testing._lint._asgi_rules import ASGI
from anysgi.testing._lint._wsgi_rules import WSGI
from anysgi.testing._servers import _wire

from . import _asgi_server_cases, _wsgi_server_cases
from ._asgi_server_cases import Serve, by_uvicorn
from ._wsgi_server_cases import by_wsgiref

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
