"""Read a `gunicorn.conf.py` the way gunicorn does: run it, and take the names that are settings.

gunicorn need not be installed.  What comes from its command line or from GUNICORN_CMD_ARGS is not in the file.
"""

from __future__ import annotations

import ast
import runpy
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, its value, and the line it is on; line 0 if it was not written."""

    name: str
    value: object
    line: int


def read_settings(file: Path) -> list[Setting]:
    """Run a configuration file and return what it sets, in its own order.

    Args:
        file: a `gunicorn.conf.py`.  It is Python, and is executed.

    Returns:
        Every lower-case name the file binds, except imports and what begins with an underscore.

    Raises:
        OSError: it cannot be read.
        Exception: whatever the file raises.
    """
    lines = _lines(ast.parse(file.read_bytes(), str(file)))
    values = runpy.run_path(str(file))
    return [Setting(name, values[name], line) for name, line in lines.items() if _is_setting(name, values)]


def _is_setting(name: str, values: dict[str, object]) -> bool:
    return name in values and name[0] != "_" and name.islower()


def _lines(tree: ast.Module) -> dict[str, int]:
    """Where each name is bound last, in the order of the lines; imported names are not settings."""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node in tree.body:
            found[node.name] = node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = max(node.lineno, found.get(node.id, 0))
    return dict(sorted(found.items(), key=lambda item: item[1]))
