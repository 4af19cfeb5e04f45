"""`Check`, `CheckResult` and `Report`, and how a check is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...exceptions import ExchangeTimeout
from .._bounded import OutOfTime, bounded

BOUND = 2.0
"""Seconds one exchange of a check may take; it needs some milliseconds."""

AHEAD = 200
"""Chunks of 64 KiB; who makes so many before the client has taken two is not held up by it."""

AHEAD_WITHIN = 0.2
"""Seconds in which who runs ahead gets there."""


class NotTried(Exception):
    """The subject lacks what the check is about, which is its right."""


Make: TypeAlias = Callable[[Any], Any]
"""Wraps an app; what it returns may be a context manager around the wrapped app, to clean up."""


@dataclass(frozen=True, slots=True)
class Check:
    """One behaviour.

    Attributes:
        name: what holds, in words joined by underscores.
        why: the rule behind it, with its source.
        run: called with what is tried: a function that wraps an app, or an app on a server; raises AssertionError.
    """

    name: str
    why: str
    run: Callable[[Any], None]

    def try_on(self, subject: Any, bound: float = 4 * BOUND) -> CheckResult:
        """Run the check, for so many seconds at most; what goes wrong is its result."""
        outcome: list[str] = []
        untried: list[str] = []

        def job() -> None:
            try:
                self.run(subject)
            except NotTried as error:
                untried.append(f"not tried: {error}")
            except ExchangeTimeout as error:
                outcome.append(str(error).partition(":")[0])
            except AssertionError as error:
                outcome.append(_first_line(error))
            except Exception as error:
                outcome.append(f"{type(error).__name__}: {_first_line(error)}")

        try:
            bounded(job, bound)
        except OutOfTime:
            outcome.append("it hangs")
        return CheckResult(self.name, not outcome, next(iter(outcome + untried), ""), self.why)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check.

    Attributes:
        name: the check's.
        passed: whether the subject behaves.
        detail: what it did instead; of one that passed, why it was not tried.
        why: the rule.
    """

    name: str
    passed: bool
    detail: str
    why: str

    def __str__(self) -> str:
        mark = "FAIL" if not self.passed else "--  " if self.detail else "ok  "
        return f"{mark} {self.name}" + (f": {self.detail}" if self.detail else "")


class Report(list[CheckResult]):
    """The results of all checks, in order."""

    @property
    def failures(self) -> list[CheckResult]:
        """The results that did not pass."""
        return [result for result in self if not result.passed]

    def raise_for_failures(self) -> None:
        """Raise AssertionError if a check failed; the message has a line for each."""
        if self.failures:
            lines = "\n".join(f"  {result}\n       {result.why}" for result in self.failures)
            raise AssertionError(f"{len(self.failures)} of {len(self)} checks failed:\n{lines}")


class Checks(list[Check]):
    """A list of checks that grows by decoration."""

    def add(self, function: Callable[[Make], None]) -> Callable[[Make], None]:
        """Take a function as a check: its name, and the first line of its docstring as the rule."""
        self.append(Check(function.__name__, (function.__doc__ or "").strip().partition("\n")[0], function))
        return function

    def try_on(self, make: Make) -> Report:
        """Run them all."""
        return Report(check.try_on(make) for check in self)


@contextmanager
def made(make: Make, app: Any) -> Iterator[Any]:
    """The wrapped app, and its end."""
    wrapped = make(app)
    if isinstance(wrapped, AbstractContextManager):
        with wrapped as inner:
            yield inner
    else:
        yield wrapped


def expect(condition: object, otherwise: str) -> None:
    """An assert that stays when Python runs with -O."""
    if not condition:
        raise AssertionError(otherwise)


def equal(found: object, wanted: object, what: str) -> None:
    """Expect two values to be the same."""
    expect(found == wanted, f"{what} is {found!r:.200}, not {wanted!r:.200}")


def unchanged(found: Mapping[str, Any], before: Mapping[str, Any], what: str) -> None:
    """Expect a scope or environ to be as before; what differs is told key by key."""
    added = [f"{key!r} is {found[key]!r:.80}, and was not there" for key in found.keys() - before]
    gone = [f"{key!r} is gone" for key in before.keys() - found]
    both = sorted(found.keys() & before)
    other = [f"{key!r} is {found[key]!r:.80}, and was {before[key]!r:.80}" for key in both if found[key] != before[key]]
    differences = "; its ".join(sorted(added) + sorted(gone) + other)
    expect(not differences, f"the {what}'s {differences}")


def _first_line(error: BaseException) -> str:
    """What went wrong, on one line; a heading takes the next along."""
    first, _, rest = str(error).strip().partition("\n")
    return (f"{first} {rest.strip().partition(chr(10))[0]}" if first.endswith(":") else first)[:300]
