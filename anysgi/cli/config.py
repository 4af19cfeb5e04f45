"""`anysgi config translate FILE --to SERVER`: what gunicorn's settings become on another server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..migration._translate import TARGETS, read_settings, translate
from ._arguments import as_json
from ._errors import BrokenApp
from ._tables import print_table

if TYPE_CHECKING:
    from ..migration._translate import Row, Translation

_LONGEST = 40  # characters of a value in the table


@click.group()
def config() -> None:
    """Translate the configuration of a server.

    \b
    anysgi config translate gunicorn.conf.py --to uvicorn
    """


@config.command("translate")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--to", "server", type=click.Choice(list(TARGETS)), required=True, help="The server to translate for.")
@click.option("--app", default="MODULE:APP", metavar="MODULE:APP", help="The app, where FILE has no wsgi_app.")
@as_json
def translate_command(file: Path, server: str, app: str, as_json: bool) -> None:
    """Print the command line that a gunicorn.conf.py becomes, and what becomes of every setting in it.

    \b
    anysgi config translate gunicorn.conf.py --to uvicorn
    anysgi config translate gunicorn.conf.py --to granian --app shop:app --json

    \b
    translated   it means the same there
    changed      there is something like it, but it means something else
    lost         there is no equivalent; the reason says what to do instead

    FILE is Python and is run, as gunicorn does.  Options on gunicorn's command line and in GUNICORN_CMD_ARGS are not
    in it.  Settings that were not written are listed where gunicorn's default is not the server's.

    Exit code: 0 all settings keep their meaning, 1 some do not, or FILE fails, 2 wrong usage.
    """
    try:
        settings = read_settings(file)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    except (Exception, SystemExit) as error:
        raise BrokenApp(f"{file} failed while it was run.", error) from None
    translation = translate(settings, server, app)
    if as_json:
        click.echo(json.dumps(_report(translation)))
    else:
        _print(translation)
    raise SystemExit(not translation.faithful)


def _report(translation: Translation) -> dict[str, object]:
    settings = [
        {
            "name": row.setting.name,
            "value": repr(row.setting.value),
            "line": row.setting.line,
            "verdict": row.outcome.verdict,
            "becomes": list(row.outcome.words),
            "reason": row.outcome.reason,
        }
        for row in translation.rows
    ]
    return {"command": translation.command, "faithful": translation.faithful, "settings": settings}


def _print(translation: Translation) -> None:
    click.echo(f"{translation.command}\n")
    print_table(("line", "setting", "verdict", "becomes", "why"), map(_row, translation.rows))


def _row(row: Row) -> tuple[str, ...]:
    name, value = row.setting.name, row.setting.value
    shown = f"def {name}" if callable(value) else f"{name} = {value!r}"
    if len(shown) > _LONGEST:
        shown = f"{shown[:_LONGEST]}…"
    line = str(row.setting.line) if row.setting.line else "default"
    return line, shown, row.outcome.verdict, " ".join(row.outcome.words), row.outcome.reason
