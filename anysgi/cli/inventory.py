"""`anysgi inventory MODULE:APP`: every route of an app, and what its handler uses."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from ..migration._inventory import take_inventory
from ._arguments import as_json, how_to_import
from ._errors import AppProblem, installed_version
from ._load import load, what_is_there
from ._options import Options
from ._tables import print_table, require_tables, shorten

if TYPE_CHECKING:
    from ..migration._inventory import Fact, Handler, Inventory, Route
    from ._load import Loaded

_SHOWN = 4  # facts of a route in the table; `--json` has all


@click.command()
@click.argument("target", metavar="MODULE:APP")
@how_to_import
@as_json
def inventory(as_json: bool, **given: Any) -> None:
    """List every route of an app, with what its handler uses.

    \b
    anysgi inventory shop:app
    anysgi inventory mysite.wsgi --json
    anysgi inventory --factory shop:create_app

    Knows Flask, Django, Pyramid, Falcon, Bottle, Starlette, FastAPI, Quart and Litestar, and apps mounted in them.
    The app is imported, but never called: what a handler uses is read from its source and from the source of the
    functions of its project that it calls.  The last lines say what that cannot tell.

    Exit code: 0 listed, 1 the app cannot be read, 2 wrong usage.
    """
    require_tables(as_json)
    loaded = load(Options(**given))
    taken = read(loaded)
    if as_json:
        click.echo(json.dumps(report(loaded, taken)))
    else:
        _print(loaded, taken)


def read(loaded: Loaded) -> Inventory:
    """Take the inventory of a loaded app.

    Raises:
        AppProblem: it is a router, its framework is unknown, or its routes cannot be read.
    """
    if loaded.both:
        raise AppProblem(
            f"{loaded.module}:{loaded.attribute} is a Router, whose routes are those of the two apps behind it: name "
            "one of them.  What the Router does with a request: anysgi routes explain GET /items/7"
        )
    try:
        taken = take_inventory(loaded.app)
    except Exception as error:  # a Django URLconf may not import; frameworks move their insides
        raise AppProblem(f"The routes of {loaded} cannot be read: {type(error).__name__}: {error}") from error
    if taken.framework is None:
        raise AppProblem(
            f"{loaded} is made with no framework anysgi knows, or middleware hides it, so its routes cannot be listed."
            + what_is_there(sys.modules[loaded.module])
        )
    return taken


def report(loaded: Loaded, taken: Inventory) -> dict[str, Any]:
    """Return an inventory as JSON types."""
    return {
        "target": f"{loaded.module}:{loaded.attribute}",
        "framework": taken.framework,
        "framework_version": installed_version(str(taken.framework).lower()),
        "convention": loaded.convention,
        "routes": [route.as_json() for route in taken.routes],
        "unknown": list(taken.unknown),
    }


def _print(loaded: Loaded, taken: Inventory) -> None:
    columns = ("methods", "path", "slash", "runs", "handler", "uses")
    print_table(columns, (_row(route) for route in taken.routes), f"{loaded}: {len(taken.routes)} routes")
    for line in (*taken.unknown, *_cannot_know(taken)):
        click.echo(f"not known: {line}")


def _row(route: Route) -> tuple[str, ...]:
    automatic = f" (+{' '.join(route.automatic)})" if route.automatic else ""
    return (
        " ".join(route.methods) + automatic,
        f"{route.host}{route.path}",
        route.slash,
        route.handler.kind or "",
        _handler(route.handler),
        _uses(route.handler),
    )


def _handler(handler: Handler) -> str:
    return f"{handler.name}\n{shorten(handler.file, handler.line)}" if handler.name else "none"


def _uses(handler: Handler) -> str:
    """The most telling facts, one a line; the same thing used twice is said once."""
    seen: dict[tuple[str, str], Fact] = {}
    for fact in handler.facts:
        seen.setdefault((fact.kind, fact.what), fact)
    lines = [f"{fact.kind}: {fact.what}  {shorten(fact.file, fact.line)}" for fact in seen.values()]
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join(lines[:_SHOWN] + more)


def _cannot_know(taken: Inventory) -> list[str]:
    """One line on what the sources hide; the routes it is about are in `--json`."""
    hidden = sum(bool(route.handler.unknown) for route in taken.routes)
    return [f"all that {hidden} of the handlers use; `--json` says per route what was not followed"] if hidden else []
