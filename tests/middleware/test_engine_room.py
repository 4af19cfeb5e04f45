"""What the engine may know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import anysgi.middleware._engine

ROOM = Path(anysgi.middleware._engine.__file__).parent


@pytest.mark.parametrize("file", sorted(ROOM.glob("*.py")), ids=lambda file: file.stem)
def test_the_engine_knows_none_of_the_middleware_around_it(file: Path) -> None:
    assert not re.findall(r"^\s*(?:from|import) (?:\.\.\w|\.\. |anysgi\.middleware)", file.read_text(), re.MULTILINE)
