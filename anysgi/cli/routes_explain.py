"""`anysgi routes explain METHOD PATH`: which side a route table sends a request to, and why."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..exceptions import RouteTableError
from ..migration import RouteTable
from ._arguments import as_json
from ._errors import AppProblem

table_option = click.option(
    "--table",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("routes.toml"),
    show_default=True,
    help="The route table.",
)


def _without_query(_context: click.Context, _argument: click.Parameter, path: str) -> str:
    if not path.startswith("/"):
        raise click.BadParameter(f"{path!r} is no path: write it from the first '/' on")
    return path.partition("?")[0]


@click.command()
@click.argument("method")
@click.argument("path", callback=_without_query)
@table_option
@as_json
def explain(method: str, path: str, table: Path, as_json: bool) -> None:
    """Say which side answers METHOD PATH, and why no other route does.

    \b
    anysgi routes explain GET /items/7
    anysgi routes explain POST /items/7 --table deploy/routes.toml

    The table alone decides here: switches of a running router are not asked.

    Exit code: 0 explained, 1 the table cannot be used, 2 wrong usage.
    """
    read = load_table(table)
    reasons = read.explain(method.upper(), path)
    if as_json:
        route = read.find(method.upper(), path)
        values = {"route": route and route.name, "where": route and route.where, "reasons": reasons.splitlines()}
        click.echo(json.dumps(values))
    else:
        click.echo(reasons)


def load_table(file: Path) -> RouteTable:
    """Read a table, or end the command with everything that is wrong with it."""
    try:
        return RouteTable.load(file)
    except RouteTableError as error:
        raise AppProblem(str(error)) from error
