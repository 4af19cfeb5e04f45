"""What becomes of a finding: raised, warned about, collected, or handed to a function."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias

from ...exceptions import AppProtocolError, LintWarning, ServerProtocolError
from ._rule import Finding, Milder

if TYPE_CHECKING:
    from ._rule import Party, Rule, RuleBook

On: TypeAlias = Literal["raise", "warn", "collect"] | Callable[[Finding], object]
"""What a validator does with a finding."""

USUAL = ("must", "should", "lint")
_MOST = 1000  # findings kept: a validator may stand in front of a server for weeks


class Report:
    """The findings of one validator.

    Args:
        book: the rules it reports on.
        on: what to do with a finding.
        select: what to report: rule ids or their beginnings, severities, parties, or `"all"`.
        ignore: what not to report, in the same words.
    """

    def __init__(self, book: RuleBook, on: On, select: Iterable[str], ignore: Iterable[str]) -> None:
        if not callable(on) and on not in ("raise", "warn", "collect"):
            raise ValueError(f"on is 'raise', 'warn', 'collect' or a function that takes a Finding, not {on!r}")
        self._book, self._on = book, on
        self._select, self._ignore = _words(book, select), _words(book, ignore)
        self.findings: list[Finding] = []

    def add(self, id: str, problem: str, where: str, party: Party | None = None, *, quietly: bool = False) -> None:
        """Take one finding.

        Args:
            id: the rule that was broken.
            problem: what happened.
            where: the request it happened in.
            party: whose mistake it is, where the rule does not say.
            quietly: do not raise, where an exception is already on its way or would reach nobody.

        Raises:
            AppProtocolError, ServerProtocolError: with `on="raise"`, by whose mistake it is.
        """
        rule = self._book.rules[id]
        severity = problem.severity if isinstance(problem, Milder) else rule.severity
        finding = Finding(rule, severity, party or rule.party, str(problem), where)
        if not any(_names(word, finding) for word in self._select) or any(_names(w, finding) for w in self._ignore):
            return
        if len(self.findings) < _MOST:
            self.findings.append(finding)
        self._tell(finding, quietly)

    def _tell(self, finding: Finding, quietly: bool) -> None:
        if callable(self._on):
            self._on(finding)
        elif self._on == "raise" and not quietly:
            raise (ServerProtocolError if finding.party == "server" else AppProtocolError)(str(finding))
        elif self._on == "warn":
            warnings.warn(str(finding), LintWarning, stacklevel=4)


def _words(book: RuleBook, words: Iterable[str]) -> tuple[str, ...]:
    chosen = (words,) if isinstance(words, str) else tuple(words)
    for word in chosen:
        if not any(_could_name(word, rule) for rule in book.rules.values()):
            raise ValueError(
                f"{word!r} names no rule; write a rule id or its beginning ('{next(iter(book.rules))}', 'A06'), a "
                "severity ('must', 'should', 'lint', 'ambiguous'), a party ('app', 'server') or 'all'"
            )
    return chosen


def _could_name(word: str, rule: Rule) -> bool:
    return word in ("all", "must", "should", "lint", "ambiguous", "app", "server") or _begins(rule.id, word)


def _names(word: str, finding: Finding) -> bool:
    return word in ("all", finding.severity, finding.party) or _begins(finding.rule.id, word)


def _begins(id: str, word: str) -> bool:
    return word[:1] == id[0] and id.startswith(word)
