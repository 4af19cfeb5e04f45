"""Each WSGI rule has a case that breaks it and a legal one that comes close, or somebody else who decides it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from anysgi.testing import Finding, LintWSGI
from anysgi.testing._lint._wsgi_rules import WSGI

from ._wsgi_cases import MORE_BROKEN, PAIRS

if TYPE_CHECKING:
    from ._wsgi_driver import Case


def findings_of(case: Case, *select: str) -> list[Finding]:
    found: list[Finding] = []
    with contextlib.suppress(Exception):  # the apps and servers of the cases raise what they like
        case(lambda app: LintWSGI(app, on=found.append, select=select or ("must", "should", "lint")))
    return found


@pytest.mark.parametrize("rule", PAIRS)
def test_a_broken_rule_is_found(rule: str) -> None:
    found = findings_of(PAIRS[rule][0], "all")
    assert rule in [finding.rule.id for finding in found], [str(finding) for finding in found]


@pytest.mark.parametrize("rule", PAIRS)
def test_what_is_nearly_wrong_is_right(rule: str) -> None:
    assert [str(finding) for finding in findings_of(PAIRS[rule][1])] == []


@pytest.mark.parametrize(("rule", "case"), MORE_BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_the_other_ways_to_break_a_rule_are_found(rule: str, case: Any) -> None:
    assert rule in [finding.rule.id for finding in findings_of(case, "all")]


def test_every_rule_has_its_cases_or_is_decided_elsewhere() -> None:
    assert sorted(WSGI.rules) == [f"W{number:03}" for number in range(1, 68)]
    assert set(PAIRS) == {id for id, rule in WSGI.rules.items() if rule.decided_by in ("wrapper", "two wrappers")}
