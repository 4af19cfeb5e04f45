"""`python -m tests.suites`: fetch what is not here yet.  Needs the package index; the tests do not."""

from ._suite import SUITES

for suite in SUITES:
    suite.fetch()
