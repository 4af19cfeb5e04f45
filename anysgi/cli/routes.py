"""`anysgi routes …`: the commands about routes of two apps.  One file a command."""

from __future__ import annotations

import click

from .routes_diff import diff


@click.group()
def routes() -> None:
    """Compare the routes of two apps.

    \b
    anysgi routes diff shop.wsgi:app shop.asgi:app     what a client could notice
    """


routes.add_command(diff)
