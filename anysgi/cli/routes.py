"""`anysgi routes …`: the commands about routes of two apps, and the table between them.  One file a command."""

from __future__ import annotations

import click

from .routes_check import check
from .routes_diff import diff
from .routes_explain import explain


@click.group()
def routes() -> None:
    """Compare the routes of two apps; check and question a route table.

    \b
    anysgi routes diff shop.wsgi:app shop.asgi:app     what a client could notice
    anysgi routes check routes.toml                    everything that is wrong with a table
    anysgi routes explain GET /items/7                 which side answers, and why
    """


for command in (diff, check, explain):
    routes.add_command(command)
