"""Each fragment of the changelog is one sentence in the past tense, so that towncrier can join them at a release.

A tense cannot be seen by a rule; what can be is the imperative and the present with which such lines often begin.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FRAGMENTS = sorted(path for path in (Path(__file__).parents[1] / "changelog.d").iterdir() if path.name != ".gitkeep")
NAME = re.compile(r"[0-9]+\.(added|changed|fixed)\.[0-9]+\.md")
CODE = re.compile(r"`[^`]+`")


def fault(name: str, text: str) -> str:
    """What is wrong with a fragment; empty if nothing is."""
    prose = CODE.sub("Code", text.strip())
    if not NAME.fullmatch(name):
        return "name it ISSUE.added.NUMBER.md (or changed, fixed)"
    if not prose or "\n" in prose:
        return "write one line"
    if not prose.endswith(".") or re.search(r"[.!?] +[A-Z]", prose):
        return "write one sentence"
    if re.match(r"(add|change|fix|remove|make|allow)(e?s)?\b", prose, re.IGNORECASE) or not prose[0].isupper():
        return "begin with a capital, in the past tense"
    return ""


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda fragment: fragment.name)
def test_a_fragment_is_one_sentence_in_the_past_tense(fragment: Path) -> None:
    assert not fault(fragment.name, fragment.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("2.broken.1.md", "Added a thing."),
        ("2.added.md", "Added a thing."),
        ("notes.txt", "Added a thing."),
        ("2.added.1.md", ""),
        ("2.added.1.md", "Added a thing.\n\nAnd another.\n"),
        ("2.added.1.md", "Added a thing. It does `more`."),
        ("2.added.1.md", "Added a thing. `more` came with it."),
        ("2.added.1.md", "Added a thing"),
        ("2.fixed.1.md", "Fixes a thing."),
        ("2.added.1.md", "Add a thing."),
        ("2.added.1.md", "added a thing."),
    ],
)
def test_what_is_no_such_sentence_is_found(name: str, text: str) -> None:
    assert fault(name, text)
