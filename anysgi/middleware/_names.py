"""Options that take several names take one as it is: a text is a collection of letters, and nobody means those."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def several(names: Iterable[str]) -> list[str]:
    """The names, in order."""
    return [names] if isinstance(names, str) else list(names)


def lowered(names: Iterable[str]) -> frozenset[str]:
    """The names as they are compared."""
    return frozenset(name.lower() for name in several(names))
