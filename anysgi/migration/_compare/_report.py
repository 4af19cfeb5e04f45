"""A comparison for people: one HTML page that needs nothing else, and JUnit for CI."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from ._summary import quantile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._summary import RouteSummary, Summary

_WORDS = re.compile(r"\w+|\s+|.")  # what is told of a value fits in one line
_TEMPLATE = Path(__file__).with_name("report.html")


def html_report(summary: Summary, *, old: str, new: str, noise: dict[str, list[str]], when: str) -> str:
    """Write the page.

    Raises:
        ImportError: jinja2 is missing; write: pip install 'anysgi[migration]'
    """
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    routes = [_row(name, route) for name, route in summary.routes.items()]
    routes.sort(key=lambda row: (not row["different"], row["name"]))
    slowest = max((max(row["old_ms"], row["new_ms"]) for row in routes), default=0.0) or 1.0
    return template.render(
        old=old, new=new, when=when, summary=summary, routes=routes, noise=noise, slowest=slowest, marked=marked
    )


def _row(name: str, route: RouteSummary) -> dict[str, Any]:
    asked = route.same + route.different
    return {
        "name": name,
        "same": route.same,
        "different": route.different,
        "skipped": route.skipped,
        "share": route.same / asked if asked else 0.0,
        "kinds": dict(route.kinds),
        "examples": route.examples,
        "old_ms": quantile(route.old_seconds, 0.5) * 1e3,
        "new_ms": quantile(route.new_seconds, 0.5) * 1e3,
    }


def marked(old: str, new: str) -> list[list[tuple[bool, str]]]:
    """Both texts as runs of words, and whether the other side has them; those that share nothing stay whole."""
    words = _WORDS.findall(old), _WORDS.findall(new)
    if not set(words[0]) & set(words[1]):
        return [[(True, old)], [(True, new)]]
    sides: list[list[tuple[bool, str]]] = [[], []]
    for tag, a, b, c, d in difflib.SequenceMatcher(None, *words, autojunk=False).get_opcodes():
        for side, run in zip(sides, (words[0][a:b], words[1][c:d]), strict=True):
            if run:
                side.append((tag == "equal", "".join(run)))
    return sides


def junit_report(summary: Summary) -> str:
    """Write one test case a route, which fails if any of its requests differs."""
    return "\n".join(_junit(summary)) + "\n"


def _junit(summary: Summary) -> Iterator[str]:
    failures = sum(1 for route in summary.routes.values() if route.different)
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<testsuite name="anysgi compare" tests="{len(summary.routes)}" failures="{failures}">'
    for name, route in summary.routes.items():
        yield f'  <testcase classname="anysgi.compare" name={quoteattr(name)}>'
        if route.different:
            told = ", ".join(f"{count} {kind}" for kind, count in route.kinds.items())
            yield f"    <failure message={quoteattr(f'{route.different} of {route.same + route.different}: {told}')}/>"
        elif not route.same:
            yield "    <skipped/>"
        yield "  </testcase>"
    yield "</testsuite>"
