"""docs/reference/lint-rules.md is what the code says today."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from . import reference


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    reference.close_files()
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # wsgiref's complaint in __del__
def test_the_page_of_rules_is_current() -> None:
    old = reference.PAGE.read_text("utf-8")
    assert reference.page(old) == old, "run: python -m tests.testing.lint.reference"


def test_ours_tells_every_broken_case_from_its_legal_neighbour_but_where_a_mistake_is_wanted() -> None:
    old = reference.PAGE.read_text("utf-8")
    lines = [line for line in old.splitlines() if line.startswith("| `") and line.count("|") in (4, 5)]
    unclear = {line.split("`")[1] for line in lines if line.split("|")[2].strip() != "yes"}
    assert unclear <= {"A020", "A021", "A028"}
