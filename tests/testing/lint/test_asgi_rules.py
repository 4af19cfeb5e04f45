"""Each ASGI rule has a case that breaks it and a legal one that comes close, or somebody else who decides it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from anysgi.testing import Finding, LintASGI
from anysgi.testing._lint._asgi_rules import ASGI

from ._asgi_cases import MORE_BROKEN, PAIRS
from ._asgi_special import OPENED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._asgi_driver import Case

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _close_files() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


BESIDES = {"A020": {"A063"}, "A021": {"A051"}}  # the app's mistake a server refuses, the server's an app refuses


async def findings_of(case: Case, *select: str) -> list[Finding]:
    found: list[Finding] = []
    with contextlib.suppress(Exception):  # the apps and servers of the cases raise what they like
        await case(lambda app: LintASGI(app, on=found.append, select=select or ("must", "should", "lint")))
    return found


@pytest.mark.parametrize("rule", PAIRS)
async def test_a_broken_rule_is_found(rule: str) -> None:
    found = await findings_of(PAIRS[rule][0], "all")
    assert rule in [finding.rule.id for finding in found], [str(finding) for finding in found]


@pytest.mark.parametrize("rule", PAIRS)
async def test_what_is_nearly_wrong_is_right(rule: str) -> None:
    found = {finding.rule.id for finding in await findings_of(PAIRS[rule][1])}
    assert found == BESIDES.get(rule, set())


@pytest.mark.parametrize(("rule", "case"), MORE_BROKEN, ids=lambda value: value if isinstance(value, str) else "")
async def test_the_other_ways_to_break_a_rule_are_found(rule: str, case: Any) -> None:
    assert rule in [finding.rule.id for finding in await findings_of(case, "all")]


def test_every_rule_has_its_cases_or_is_decided_elsewhere() -> None:
    assert sorted(ASGI.rules) == [f"A{number:03}" for number in range(1, 140)]
    ours = {id for id, rule in ASGI.rules.items() if rule.decided_by in ("wrapper", "two wrappers")}
    assert set(PAIRS) == ours
