"""What a check is given, and what it finds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ...types import Convention
    from .._inventory import Inventory
    from .._translate import Setting

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Side:
    """One app, as the checks see it.

    Attributes:
        name: what the user called it, `MODULE:APP`.
        app: the app as it is served, with what was wrapped around it.
        framework: its framework's name, or None.
        inner: the framework's own app, or the app itself.
        convention: what it speaks.
        inventory: its routes; empty if they cannot be known.
        files: source files where its settings may stand.
    """

    name: str
    app: object
    framework: str | None
    inner: Any
    convention: Convention
    inventory: Inventory
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Patient:
    """Everything that is examined: the app, the app it is to become if there is one, gunicorn's settings if given."""

    app: Side
    new: Side | None = None
    gunicorn: tuple[Setting, ...] = ()
    gunicorn_file: str = ""

    @property
    def sides(self) -> tuple[Side, ...]:
        """Both apps, or the only one."""
        return (self.app,) if self.new is None else (self.app, self.new)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The value that was seen, and where it is written; file and line are None where nobody wrote it down."""

    seen: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at before the server is changed.

    Attributes:
        check: the id of the check.
        severity: `error` breaks under load or at once, `warning` may, `note` is good to know.
        what: one sentence.
        evidence: why we say so.
        fix: the line to write, or what to do.
    """

    check: str
    severity: Severity
    what: str
    evidence: tuple[Evidence, ...] = ()
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return asdict(self)


Check = Callable[[Patient], Iterator[Finding]]


def written_at(files: tuple[str, ...], name: str) -> tuple[str, int] | tuple[None, None]:
    """Find where a setting is written: a name that is assigned, a keyword, or a key of a dictionary."""
    for file in files:
        try:
            tree = ast.parse(Path(file).read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if _names(node, name):
                return file, getattr(node, "lineno", 0)
    return None, None


def _names(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Constant):
        return node.value == name
    if isinstance(node, ast.keyword):
        return node.arg == name
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name


def line_of(files: tuple[str, ...], name: str, seen: object) -> Evidence:
    """Make the evidence for a setting: `NAME = value`, and where it is written."""
    return Evidence(f"{name} = {seen!r}", *written_at(files, name))
