"""The lists of what may fail behind a bridge, and the page that shows them."""

from __future__ import annotations

import pytest

from ._suite import SUITES, Suite


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_test_is_listed_once_and_every_reason_is_on_the_page(suite: Suite) -> None:
    from .page import PAGE

    listed = [test for reason in suite.reasons for test in reason.tests]
    assert len(listed) == len(set(listed))
    page = PAGE.read_text(encoding="utf-8")
    assert not [reason.why for reason in suite.reasons if reason.why not in page], "python -m tests.suites.page"
