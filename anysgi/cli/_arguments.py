"""What the commands that take an app have in common: MODULE:APP and how to import it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def how_to_import(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--factory`, `--convention` and `--app-dir`, which `load` reads."""
    options = (
        click.option("--factory", is_flag=True, help="APP is a function without arguments that makes the app."),
        click.option("--convention", type=click.Choice(["wsgi", "asgi"]), help="What APP is, where it cannot be told."),
        click.option(
            "--app-dir",
            type=click.Path(exists=True, file_okay=False, resolve_path=True),
            default=".",
            help="Folder to import MODULE from.  [default: this one]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
