"""The `anysgi` command: one file a command, imported when it is asked for.

Around them: `_load` imports the user's app and explains what went wrong, `_build` puts an adapter around it where one
is needed, `_servers` is the table of servers, `_target` is what worker processes import.
"""

from __future__ import annotations

import platform
from importlib import import_module

import click

from ._errors import installed_version

__all__ = ["main"]

COMMANDS = {
    "serve": ".serve:serve",
    "inspect": ".inspect:inspect",
    "lint": ".lint:lint",
    "inventory": ".inventory:inventory",
    "routes": ".routes:routes",
    "config": ".config:config",
    "doctor": ".doctor:doctor",
    "advise": ".advise:advise_command",
    "compare": ".compare:compare",
    "replay": ".replay:replay",
}
"""Where each command lives, `module:attribute`, in the order `--help` shows them."""


class _Commands(click.Group):
    """A group that imports only the command it runs, so that a command's libraries cost the others nothing."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(module, __name__), attribute)
        assert isinstance(command, click.Command)
        return command


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"anysgi {installed_version('anysgi') or '(not installed)'}, Python {platform.python_version()}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)
def main() -> None:
    """Any Python web app on any Python web server.

    \b
    anysgi serve shop:app                      a Flask, Django, FastAPI… app on uvicorn
    anysgi serve shop:app --server gunicorn    the same app on gunicorn
    anysgi inspect shop:app                    what it is, and what would be adapted how
    anysgi lint shop:app                       where it breaks PEP 3333 or the ASGI spec
    anysgi inventory shop:app                  every route, and what its handler uses
    anysgi compare shop:app api:app --requests traffic.har     could a client tell them apart?
    """
