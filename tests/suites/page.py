"""`python -m tests.suites.page`: run the suites, and write docs/reference/suites.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ._suite import SUITES, Reason, Result, Suite, bare

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "suites.md"
HEAD = """\
# Frameworks' own tests

Flask's, werkzeug's and Starlette's own test suites, from their source distributions, with every app of theirs behind a
double bridge: under `AsgiToWsgi(WsgiToAsgi(app))`, or the reverse. What goes in on one side must come out on the other
as if there were no bridge. What does not is listed here with the reason. The page is written by
`python -m tests.suites.page`, which runs the suites; `make test-slow` fails when a test fails that is not listed, or
when a listed one passes.

| suite | its apps pass through | pass | fail only there | fail without a bridge, too | skipped |
|---|---|---|---|---|---|
"""
TAIL = """
What is *a matter of time* may also pass: it depends on which of two threads is faster. What is *left out* is not run:
it would wait for long, make the tests after it fail, or never meet the bridge.
"""


def row(suite: Suite, result: Result) -> str:
    numbers = (len(ids) for ids in (result.passed, result.failed, result.broken, result.skipped))
    return f"| {suite.name} {suite.version} | {suite.way} | " + " | ".join(map(str, numbers)) + " |\n"


def section(suite: Suite, result: Result) -> Iterator[str]:
    yield f"\n## {suite.name.title()}: what fails, and why\n"
    for reason in suite.reasons:
        yield from entry(reason)
    if result.broken:
        names = ", ".join(f"`{name(test)}`" for test in sorted(bare(result.broken)))
        yield f"\nFails here without a bridge, too: {names}.\n"


def entry(reason: Reason) -> Iterator[str]:
    kind = " *A matter of time.*" if reason.timing else " *Left out.*" if reason.left_out else ""
    yield f"\n{reason.why}{kind}\n\n"
    yield from (f"- `{name(test)}`\n" for test in reason.tests)


def name(test: str) -> str:
    return test.partition("::")[2] or test.removeprefix("tests/")


def main() -> None:
    results = [(suite, suite.run()) for suite in SUITES]
    text = HEAD + "".join(row(*item) for item in results) + TAIL
    text += "".join(line for item in results for line in section(*item))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
