"""`RuleChecks`: checks that go by the id of the rule they decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._conformance._check import Check, Checks
from .._lint._rule import RuleBook


class RuleChecks(Checks):
    """Checks of rules in a book.

    Args:
        book: has the rules.
    """

    def __init__(self, book: RuleBook) -> None:
        super().__init__()
        self._book = book

    def rule(self, id: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
        """Take a function as the check of a rule; the rule's own words say why."""
        rule = self._book.rules[id]
        assert rule.decided_by == "server check", f"{id} is decided by {rule.decided_by}"

        def add(function: Callable[[Any], None]) -> Callable[[Any], None]:
            self.append(Check(id, f"{rule.what} ({rule.severity}; {rule.spec})", function))
            return function

        return add
