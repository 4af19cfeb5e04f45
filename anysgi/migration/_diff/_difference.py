"""One thing a client could notice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["missing-route", "extra-route", "missing-method", "extra-method", "slash", "converter", "shadowed"]
KINDS: tuple[Kind, ...] = (
    "missing-route",
    "extra-route",
    "missing-method",
    "extra-method",
    "slash",
    "converter",
    "shadowed",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing a client could notice.

    Attributes:
        kind: what sort of thing.
        path: the template of the old app, or of the new one for what only that has.
        methods: those it is about; empty for all.
        old: what the old app does.
        new: what the new app does.
        fix: the line to write so that they agree; empty where there is none.
        old_at: `(file, line)` of the old handler.
        new_at: `(file, line)` of the new handler.
    """

    kind: Kind
    path: str
    methods: tuple[str, ...]
    old: str
    new: str
    fix: str = ""
    old_at: tuple[str, int] | None = None
    new_at: tuple[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return asdict(self)
