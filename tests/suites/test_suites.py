"""Frameworks' own tests pass behind a double bridge, but for those that are listed with the reason."""

from __future__ import annotations

import pytest

from ._suite import SUITES, Suite, bare


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_frameworks_own_tests_pass_behind_a_double_bridge(suite: Suite) -> None:
    assert suite.folder.is_dir(), f"the tests of {suite.name} {suite.version} are not here: python -m tests.suites"
    result = suite.run()
    listed = {test for reason in suite.reasons for test in reason.tests}
    certain = {test for reason in suite.reasons if not (reason.timing or reason.left_out) for test in reason.tests}
    surprises = sorted(test for test in result.failed if test.partition("[")[0] not in listed)
    assert not surprises, f"these fail only behind the bridge: {surprises}\n{result.log[-20_000:]}"
    mended = sorted(certain - bare(result.failed))
    assert not mended, f"these pass: take them out of {suite.name}.toml: {mended}"
    assert len(result.passed) > 400, "most of the suite was run"


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_test_is_listed_once_and_every_reason_is_on_the_page(suite: Suite) -> None:
    from .page import PAGE

    listed = [test for reason in suite.reasons for test in reason.tests]
    assert len(listed) == len(set(listed))
    page = PAGE.read_text(encoding="utf-8")
    assert not [reason.why for reason in suite.reasons if reason.why not in page], "python -m tests.suites.page"
