"""What a rule is, what a finding is, and the book that holds the rules of one convention.

A rule about values is a function: its docstring is the rule, its return value is what is wrong, or None.  A rule about
order, or about who did what when, has no function: the tables and the wrappers name it by its id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from ...types import Convention

Severity = Literal["must", "should", "lint", "ambiguous"]
"""How much a finding weighs: the spec's MUST, its SHOULD, good sense, or a point where the spec contradicts itself."""

Party = Literal["app", "server", "middleware", "both"]
"""Whose mistake it is; `"both"` in a rule, where either side can break it."""

DecidedBy = Literal["wrapper", "two wrappers", "anysgi lint", "server check"]
"""Who can tell: one wrapper, one on each side of a middleware, several requests of `anysgi lint`, or an app and a
client on both sides of a server: `check_asgi_server`, `check_wsgi_server`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a spec.

    Attributes:
        id: stable, `"A061"` or `"W036"`.
        severity: how much breaking it weighs.
        party: whose rule it is.
        what: the rule, as a sentence.
        spec: the document and section it comes from.
        write: the line to write instead.
        decided_by: who can tell whether it was broken.
    """

    id: str
    severity: Severity
    party: Party
    what: str
    spec: str
    write: str
    decided_by: DecidedBy = "wrapper"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that was broken.

    Attributes:
        rule: the rule.
        severity: the rule's, or a milder one for this case of it.
        party: whose mistake it is.
        message: what happened.
        where: the request or connection it happened in, such as `"GET /cart"`.
    """

    rule: Rule
    severity: Severity
    party: Party
    message: str
    where: str

    def __str__(self) -> str:
        rule = self.rule
        return (
            f"{rule.id} ({self.severity}, {self.party}), {self.where}: {self.message}. "
            f"{rule.what[0].upper()}{rule.what[1:].rstrip('.')} ({rule.spec}). Write: {rule.write}"
        )


class Milder(str):
    """A problem that weighs less than its rule."""

    severity: Severity

    def __new__(cls, severity: Severity, text: str) -> Milder:
        problem = super().__new__(cls, text)
        problem.severity = severity
        return problem


Check: TypeAlias = Callable[[Any, Any], str | None]
"""Takes a scope, message, environ or response, and what is known around it; returns what is wrong with it."""

_ROW = re.compile(r"^([AW]\d{3}) (\w+) (\w+)(?:, ([\w ]+))?: (.+)\n +(.+?) :: (.+)$", re.MULTILINE)

CheckT = TypeVar("CheckT", bound=Check)


class RuleBook:
    """The rules of one convention, by id, and the functions that judge values, by what they look at."""

    def __init__(self, convention: Convention) -> None:
        self.convention = convention
        self.rules: dict[str, Rule] = {}
        self.checks: dict[str, list[tuple[Rule, Check]]] = {}

    def table(self, text: str) -> None:
        """Enter rules that no single value can tell, two lines each.

        `ID severity party[, decided by]: the rule`, and below it `the spec :: the line to write`.
        """
        for line in _ROW.finditer(text):
            id, severity, party, by, what, spec, write = line.groups(default="wrapper")
            decided = cast("DecidedBy", by)
            self._enter(Rule(id, cast("Severity", severity), cast("Party", party), what, spec, write, decided))

    def _enter(self, rule: Rule) -> None:
        assert rule.id not in self.rules, f"{rule.id} is there twice"
        self.rules[rule.id] = rule

    def check(
        self, id: str, severity: Severity, party: Party, *, on: Sequence[str], spec: str, write: str
    ) -> Callable[[CheckT], CheckT]:
        """Enter a rule about values; the function below is its judge, and its docstring the rule."""

        def enter(judge: CheckT) -> CheckT:
            self._enter(Rule(id, severity, party, " ".join((judge.__doc__ or "").split()), spec, write))
            for what in on:
                self.checks.setdefault(what, []).append((self.rules[id], judge))
            return judge

        return enter


ASGI = RuleBook("asgi")
WSGI = RuleBook("wsgi")
