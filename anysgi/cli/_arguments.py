"""What several commands have in common: MODULE:APP and how to import it, `--json`, files to write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._errors import AppProblem

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


def _in_a_folder(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """A mistake in a path is found before anything is done, not after it."""
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}")
    return path


WRITTEN: Any = {"type": click.Path(dir_okay=False, path_type=Path), "callback": _in_a_folder}
"""An option whose file the command writes at its end, with `write`."""


def write(file: Path, text: str, *, anew: bool = False) -> None:
    """Write a file, and say so; `anew`: what is there already stays as it is."""
    try:
        with file.open("x" if anew else "w", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise AppProblem(f"{file} is there already, and stays as it is. Write another file.") from None
    except OSError as error:
        raise AppProblem(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {file}", err=True)
