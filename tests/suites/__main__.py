"""`python -m tests.suites`: fetch what is not here yet.  Needs the package index; the tests do not."""

from ._sdist import fetch
from ._suite import SUITES

for suite in SUITES:
    suite.fetch()
fetch("falcon", "examples/")  # tests/migration/test_falcons_examples.py
