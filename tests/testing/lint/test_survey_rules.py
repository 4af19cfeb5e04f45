"""Each rule that several requests decide has an app that breaks it and a legal one that comes close."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi.testing._lint._asgi_rules import ASGI
from anysgi.testing._lint._survey import survey
from anysgi.testing._lint._wsgi_rules import WSGI

from ._survey_cases import PAIRS

RULES = ASGI.rules | WSGI.rules


def http_only(app: Any) -> Any:
    async def outer(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await app(scope, receive, send)

    return outer


def findings_of(app: Any, rule: str, bound: float) -> list[str]:
    asgi = rule.startswith("A")
    found = survey(http_only(app) if asgi else app, "asgi" if asgi else "wsgi", bound=bound)
    return [finding.rule.id for _, finding in found.findings if RULES[finding.rule.id].decided_by == "anysgi lint"]


@pytest.mark.parametrize("rule", PAIRS)
def test_an_app_that_breaks_a_rule_is_found(rule: str) -> None:
    assert rule in findings_of(PAIRS[rule][0], rule, bound=0.2)


@pytest.mark.parametrize("rule", PAIRS)
def test_an_app_that_nearly_breaks_it_is_not(rule: str) -> None:
    assert findings_of(PAIRS[rule][1], rule, bound=3.0) == []


def test_every_rule_of_several_requests_has_its_apps() -> None:
    assert set(PAIRS) == {rule.id for rule in RULES.values() if rule.decided_by == "anysgi lint"}
