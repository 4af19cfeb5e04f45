"""`anysgi routes check`: whether a route table can be used; for reviews and CI."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..exceptions import RouteTableError
from ..migration import RouteTable
from ._arguments import as_json


@click.command()
@click.argument("table", type=click.Path(dir_okay=False, path_type=Path), default=Path("routes.toml"))
@as_json
def check(table: Path, as_json: bool) -> None:
    """Read a route table, and say everything that is wrong with it.

    \b
    anysgi routes check
    anysgi routes check deploy/routes.toml --json

    Exit code: 0 it can be used, 1 it cannot, 2 wrong usage.
    """
    problems: list[str] = []
    routes = 0
    try:
        routes = len(RouteTable.load(table).routes)
    except RouteTableError as error:
        problems = error.problems
    if as_json:
        click.echo(json.dumps({"table": str(table), "routes": routes, "problems": problems}))
    else:
        click.echo("\n".join(problems) or f"{table}: {routes} route{'s' * (routes != 1)}, nothing wrong")
    raise SystemExit(bool(problems))
