"""werkzeug's own tests; a file for each suite, as files are what the workers of `make test-slow` share out."""

from __future__ import annotations

import pytest

from ._hold import hold
from ._suite import WERKZEUG


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_own_tests_pass_behind_a_double_bridge_but_for_those_listed() -> None:
    hold(WERKZEUG)
