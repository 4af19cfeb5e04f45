"""Tables for people, with rich; `--json` needs none of it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ._errors import AppProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NO_RICH = 'Tables need rich. Install it: pip install "anysgi[migration]"; or use --json.'
_PAPER = 160  # columns, where the output is no terminal


def has_tables() -> bool:
    """Whether rich is installed."""
    return find_spec("rich") is not None


def require_tables(as_json: bool) -> None:
    """Ask for rich before long work whose result would be lost without it.

    Raises:
        AppProblem: as `print_table` would.
    """
    if not (as_json or has_tables()):
        raise AppProblem(_NO_RICH)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print rows of plain text; nothing in them is read as markup, and nothing is cut.

    Raises:
        AppProblem: rich is not installed; the message has the line that installs it.
    """
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        raise AppProblem(_NO_RICH) from None
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else _PAPER, highlight=False).print(table)


def shorten(file: str | None, line: int | None) -> str:
    """Write a place as `shop/views.py:12`: relative to this folder, or else from its package on."""
    if file is None:
        return ""
    near = os.path.relpath(file)
    if near.startswith(".."):
        near = file.rpartition("site-packages" + os.sep)[2]
    return f"{near}:{line}"
