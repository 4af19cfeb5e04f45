"""What several commands have in common: MODULE:APP and how to import it, `--json`, files to write."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._errors import AppProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..migration._compare._exchanges import Headers

    Command = Callable[..., Any]


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Make several options one decorator; `--help` lists them in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def app_dir(imported: str) -> Callable[[Command], Command]:
    """Make `--app-dir`, for what a command imports."""
    return click.option(
        "--app-dir",
        multiple=True,
        type=click.Path(exists=True, file_okay=False, resolve_path=True),
        default=(".",),
        help=f"Folder to import {imported} from.  Repeatable.  [default: this one]",
    )


how_to_import = together(
    click.option("--factory", is_flag=True, help="APP is a function without arguments that makes the app."),
    click.option("--convention", type=click.Choice(["wsgi", "asgi"]), help="What APP is, where it cannot be told."),
    app_dir("MODULE"),
)
"""What `load` reads."""


def _headers(_context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> Headers:
    from ..migration._compare._side_headers import parse_header

    try:
        return tuple(map(parse_header, given))
    except ValueError as error:
        raise click.BadParameter(f"{error}; write {option.opts[0]} 'Authorization: Token abc'") from None


def header_option(name: str, whose: str) -> Callable[[Command], Command]:
    """Make an option for a credential; `whose` begins as `NEW alone gets`."""
    told = f"A header that {whose}, in place of the recorded one.  Repeatable."
    return click.option(name, multiple=True, metavar="HEADER", callback=_headers, help=told)


progress_option = click.option(
    "--progress/--no-progress", default=None, help="How far it is, on stderr.  [default: where that is a terminal]"
)


def is_watched(progress: bool | None) -> bool:
    """Whether to say how far long work is: if `--progress` says so, or somebody watches."""
    return sys.stderr.isatty() if progress is None else progress


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _in_a_folder(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """A mistake in a path is found before anything is done, not after it."""
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}")
    if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.BadParameter(f"{path} cannot be written")
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
