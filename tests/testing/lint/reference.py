"""Writes docs/reference/lint-rules.md: `python -m tests.testing.lint.reference`.

The rules come from the code, and who catches what from running every case of the tests through every validator.
asgion needs Python 3.12: where it cannot be imported, its column is kept as it stands on the page.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from wsgiref.validate import WSGIWarning, validator

from werkzeug.middleware.lint import LintMiddleware

from anysgi.testing import LintASGI, LintWSGI
from anysgi.testing._lint._asgi_rules import ASGI
from anysgi.testing._lint._rule import Rule, RuleBook
from anysgi.testing._lint._wsgi_rules import WSGI

from . import _asgi_cases, _wsgi_cases
from ._asgi_special import OPENED

PAGE = Path(__file__).parents[3] / "docs/reference/lint-rules.md"
Caught = Callable[[Any], bool]  # takes a case, tells whether the validator says anything about it

INTRO = """# Lint rules

<!-- Written by `python -m tests.testing.lint.reference`; a test checks that it is current. -->

What [`LintASGI` and `LintWSGI`](../how-to/lint.md) report. Ids are stable. A severity in brackets is not reported by
default. "Whose" is the side whose mistake it is. Rules that one wrapper around an app cannot decide say who can: a
wrapper on each side of a middleware, `anysgi lint` with several requests, or a
[check of the server](../how-to/check-a-server.md), which has an app and a client on both sides of it. Every rule has
something that breaks it and something legal that comes close, as tests.
"""

CATCHES = """## Who catches what

The cases of the rules that a wrapper decides, or one on each side, run through four validators. "yes": says something
about the broken one and nothing about the legal one. "also the legal one": cannot tell them apart, or refuses what is
legal. Of asgion only warnings and errors count. It needs Python 3.12; its column was made from its source, with two
spellings of 3.12 (`type X = …`, a `str` tested against an `Enum`) written for 3.11. The legal cases of A020 and A021
need a mistake of the other side, that of A028 a bytearray, which is (ambiguous).
"""


# --- each validator: does it say anything about a case?


def ours_wsgi(case: Any) -> bool:
    found: list[Any] = []
    _run(lambda: case(lambda app: LintWSGI(app, on=found.append, select="all")))
    return bool(found)


def wsgiref_validate(case: Any) -> bool:
    return _complains(lambda: case(validator), "validate.py")


def werkzeug_lint(case: Any) -> bool:
    return _complains(lambda: case(LintMiddleware), "lint.py")


def _complains(run: Callable[[], object], file: str) -> bool:
    """Whether a validator warned, or raised: its own frame is the last of the traceback."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        error = _run(run)
    last = traceback.extract_tb(error.__traceback__)[-1].filename if error else ""
    ours = [w for w in told if issubclass(w.category, WSGIWarning) or w.category.__module__.startswith("werkzeug")]
    return bool(ours) or last.endswith(file)


def ours_asgi(case: Any) -> bool:
    found: list[Any] = []
    _run(lambda: asyncio.run(case(lambda app: LintASGI(app, on=found.append, select="all"))))
    return bool(found)


def asgion(case: Any) -> bool:
    from asgion import Inspector

    found: list[Any] = []
    _run(lambda: asyncio.run(case(lambda app: Inspector(app, on_violation=found.append))))
    return any(str(violation.severity) in ("warning", "error") for violation in found)


def _run(what: Callable[[], object]) -> BaseException | None:
    try:
        what()
    except Exception as error:
        return error
    return None


VALIDATORS: dict[str, dict[str, Caught]] = {
    "asgi": {"LintASGI": ours_asgi, "asgion 0.6": asgion},
    "wsgi": {"LintWSGI": ours_wsgi, "wsgiref.validate": wsgiref_validate, "werkzeug": werkzeug_lint},
}


def verdict(caught: Caught, pair: tuple[Any, Any]) -> str:
    broken, legal = (caught(case) for case in pair)
    return ("also the legal one" if legal else "yes") if broken else ("only the legal one" if legal else "")


# --- the page


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [[*head], ["---"] * len([*head]), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def rule_row(rule: Rule) -> list[str]:
    severity = f"({rule.severity})" if rule.severity == "ambiguous" else rule.severity
    by = "" if rule.decided_by == "wrapper" else rule.decided_by
    what = rule.what[0].upper() + rule.what[1:].rstrip(".")
    return [f"`{rule.id}`", severity, rule.party, cell(what), f"`{cell(rule.write)}`", cell(rule.spec), by]


def rules(book: RuleBook, title: str) -> str:
    inside = sorted(book.rules.values(), key=lambda rule: rule.id)
    counts = Counter(rule.decided_by for rule in inside)
    told = ", ".join(f"{count} by {who}" for who, count in counts.most_common())
    head = ("rule", "severity", "whose", "what it says", "write", "source", "decided by")
    return f"## {title}\n\n{len(inside)} rules. Decided: {told}.\n\n{table(head, map(rule_row, inside))}"


def catches(book: RuleBook, pairs: dict[str, tuple[Any, Any]], old: str) -> str:
    validators = VALIDATORS[book.convention]
    kept = dict(re.findall(r"^\| `(A\d+)` \|[^|]+\| ([^|]*?) ?\|$", old, re.MULTILINE))
    columns = {
        name: kept if name.startswith("asgion") and find_spec("asgion") is None else _column(caught, pairs)
        for name, caught in validators.items()
    }
    sums = [f"{name} {sum(v == 'yes' for v in column.values())}" for name, column in columns.items()]
    rows = [[f"`{id}`", *(column.get(id, "") for column in columns.values())] for id in sorted(pairs)]
    return f"Of {len(pairs)} rules, told apart: {', '.join(sums)}.\n\n{table(('rule', *columns), rows)}"


def _column(caught: Caught, pairs: dict[str, tuple[Any, Any]]) -> dict[str, str]:
    return {id: verdict(caught, pair) for id, pair in pairs.items()}


def page(old: str) -> str:
    parts = (
        INTRO,
        rules(ASGI, "ASGI"),
        rules(WSGI, "WSGI"),
        CATCHES,
        catches(ASGI, _asgi_cases.PAIRS, old),
        catches(WSGI, _wsgi_cases.PAIRS, old),
    )
    return "\n".join(parts)


def close_files() -> None:
    """Close what the cases about open files left open."""
    while OPENED:
        OPENED.pop().close()


def main() -> None:
    logging.disable(logging.CRITICAL)
    PAGE.write_text(page(PAGE.read_text("utf-8") if PAGE.exists() else ""), "utf-8")
    close_files()


if __name__ == "__main__":
    main()
