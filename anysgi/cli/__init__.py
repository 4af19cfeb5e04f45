"""The `anysgi` command: `serve` any app on any server, `inspect` what an app is.

One file a command.  Around them: `_load` imports the user's app and explains what went wrong, `_build` puts an adapter
around it where one is needed, `_servers` is the table of servers, `_target` is what worker processes import.
"""

from __future__ import annotations

import platform

import click

from ._errors import installed_version
from .inspect import inspect
from .serve import serve

__all__ = ["main"]


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"anysgi {installed_version('anysgi') or '(not installed)'}, Python {platform.python_version()}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)
def main() -> None:
    """Any Python web app on any Python web server.

    \b
    anysgi serve shop:app                      a Flask, Django, FastAPI… app on uvicorn
    anysgi serve shop:app --server gunicorn    the same app on gunicorn
    anysgi inspect shop:app                    what it is, and what would be adapted how
    """


main.add_command(serve)
main.add_command(inspect)
