"""`anysgi routes diff OLD NEW`: what a client could notice if one app replaced the other."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..migration._diff import diff_routes
from ..migration._diff._difference import KINDS
from ..migration._diff._table import write_table
from ._arguments import WRITTEN, app_dir, as_json, write
from ._load import load
from ._options import Options
from ._tables import print_table, require_tables, shorten
from .inventory import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..migration._diff import Difference

_MANY = 3  # routes with the same difference, which is told once


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--old-factory", is_flag=True, help="OLD is a function without arguments that makes the app.")
@click.option("--new-factory", is_flag=True, help="NEW is one.")
@app_dir("both")
@click.option("--ignore", multiple=True, type=click.Choice(KINDS), help="Do not report this kind.  Repeatable.")
@click.option("--write", "table", **WRITTEN, help="Write a route table to start from.  FILE must be new.")
@as_json
def diff(
    old: str,
    new: str,
    old_factory: bool,
    new_factory: bool,
    app_dir: Sequence[str],
    ignore: Sequence[str],
    table: Path | None,
    as_json: bool,
) -> None:
    """Say what a client could notice if NEW replaced OLD, without sending a request.

    \b
    anysgi routes diff shop.wsgi:app shop.asgi:app
    anysgi routes diff shop:app api:app --ignore missing-route      while only a part has moved
    anysgi routes diff shop:app api:app --write routes.toml         a table for the router
    anysgi routes diff shop:app api:app --json

    \b
    missing-route, extra-route    only one of them has it
    missing-method, extra-method  the other answers 405; HEAD and OPTIONS come by themselves in some frameworks
    slash                         redirects (301, 307, 308) or 404 for the trailing slash
    converter                     what does not fit the path is a 404 here and a 422 there, or let through
    shadowed                      a route of NEW that an earlier one hides

    Exit code: 0 no difference, 1 differences, or an app that cannot be read, 2 wrong usage.
    """
    require_tables(as_json)
    olds = read(load(Options(old, app_dir, factory=old_factory)))
    news = read(load(Options(new, app_dir, factory=new_factory)))
    every = diff_routes(olds, news)
    shown = [difference for difference in every if difference.kind not in ignore]
    if as_json:
        click.echo(json.dumps({"old": old, "new": new, "differences": [item.as_json() for item in shown]}))
    else:
        _print(old, new, shown)
    if table is not None:
        write(table, write_table(olds, news, every), anew=True)
    raise SystemExit(bool(shown))


def _print(old: str, new: str, differences: list[Difference]) -> None:
    if not differences:
        click.echo(f"{old} and {new} have the same routes.")
        return
    print_table(("difference", "path", "old", "new", "to make them agree"), _rows(differences))
    counts = Counter(item.kind for item in differences)
    click.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()))


def _rows(differences: list[Difference]) -> Iterator[tuple[str, ...]]:
    """One row for what is the same of many routes, in the place of the first; else one for each."""
    alike: dict[tuple[object, ...], list[Difference]] = {}
    for item in differences:
        alike.setdefault((item.kind, item.methods, item.old, item.new), []).append(item)
    for items in alike.values():
        yield from [_together(items)] if len(items) >= _MANY else map(_row, items)


def _row(item: Difference) -> tuple[str, ...]:
    places = [f"\n{shorten(*at)}" if at else "" for at in (item.old_at, item.new_at)]
    methods = f" {' '.join(item.methods)}" if item.methods else ""
    return item.kind, item.path + methods, item.old + places[0], item.new + places[1], item.fix


def _together(items: list[Difference]) -> tuple[str, ...]:
    first = items[0]
    methods = " ".join(("", *first.methods))
    paths = "\n".join([f"{len(items)} routes{methods}", *(f"  {item.path}" for item in items)])
    fix = first.fix if len({item.fix for item in items}) == 1 else f"{first.fix}\nand so on; --json has every line"
    return first.kind, paths, first.old, first.new, fix
