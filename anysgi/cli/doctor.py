"""`anysgi doctor MODULE:APP`: what will break when the server changes, with evidence and fix."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._core._detect import find_framework, guess_convention
from ..migration._doctor import CHECKS, RUN, Patient, Side, call, examine
from ..migration._inventory import take_inventory
from ..migration._translate import read_settings
from ._arguments import as_json, how_to_import
from ._errors import AppProblem
from ._load import load
from ._options import Options
from ._tables import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..migration._doctor import Evidence, Finding
    from ._load import Loaded

_MARKS = {"error": "✗", "warning": "!", "note": "·"}
_PLACES = 6  # evidence lines of a finding in the text; `--json` has all


@click.command()
@click.argument("target", metavar="MODULE:APP")
@click.argument("new", metavar="[NEW]", required=False)
@how_to_import
@click.option(
    "--gunicorn",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The gunicorn.conf.py in use.  It is run.",
)
@click.option(
    "--run", "requests", type=click.IntRange(1), help="Send this many requests in process; see what leaks or lacks."
)
@click.option("--path", "paths", multiple=True, help="What --run asks for.  Repeatable.  [default: plain GET routes]")
@click.option("--ignore", multiple=True, type=click.Choice([*CHECKS, RUN]), help="Leave out a check.  Repeatable.")
@as_json
def doctor(
    target: str,
    new: str | None,
    gunicorn: Path | None,
    requests: int | None,
    paths: Sequence[str],
    ignore: Sequence[str],
    as_json: bool,
    **given: Any,
) -> None:
    """Say what will break when an app moves to an ASGI server, with the evidence and the line to write.

    \b
    anysgi doctor shop.wsgi:application
    anysgi doctor shop.wsgi:app shop.asgi:app                  and what differs between old and new
    anysgi doctor front:router                                 the same, of the two sides of a Router
    anysgi doctor mysite.asgi --run 200 --path /shop/          really call it: what leaks, what is not there
    anysgi doctor shop:app --gunicorn gunicorn.conf.py

    The app is imported; only --run calls it.  No finding means that none of these checks found anything, not that
    nothing is there.

    \b
    ✗ error     breaks at once, or under load
    ! warning   may break, or costs
    · note      good to know

    Exit code: 0 no error and no warning, 1 some, or an app that cannot be read, 2 wrong usage.
    """
    settings = _settings(gunicorn)
    app, other = _sides(load(Options(target, **given)), target)
    if new:
        other, _ = _sides(load(Options(new, given["app_dir"])), new)
    patient = Patient(app, other, *settings)
    findings = examine(patient, ignore)
    if requests:
        findings += call(patient, requests, list(paths) or _plain_routes(app), ignore)
    unknown = [f"{side.name}: {line}" for side in patient.sides for line in side.inventory.unknown]
    if as_json:
        told = {"findings": [item.as_json() for item in findings], "unknown": unknown}
        click.echo(json.dumps({"target": target, "new": new, **told}))
    else:
        _print(findings, unknown)
    raise SystemExit(any(finding.severity != "note" for finding in findings))


def _sides(loaded: Loaded, name: str) -> tuple[Side, Side | None]:
    """The app; behind a `Router`, both."""
    if not loaded.both:
        return _side(name, loaded.app, loaded), None
    router: Any = loaded.app
    old, new = (_side(f"{name}'s {side} side", app, loaded) for side, app in router.apps.items())
    return old, new


def _side(name: str, app: Any, loaded: Loaded) -> Side:
    framework, inner = find_framework(app) or (None, app)
    convention = loaded.convention if app is loaded.app else guess_convention(app)
    files = tuple(filter(None, (getattr(sys.modules[loaded.module], "__file__", None),)))
    return Side(name, app, framework, inner, convention, _inventory(app, name), files)


def _inventory(app: Any, name: str) -> Any:
    try:
        return take_inventory(app)
    except Exception as error:
        raise AppProblem(f"The routes of {name} cannot be read: {type(error).__name__}: {error}") from error


def _settings(file: Path | None) -> tuple[Any, str]:
    if file is None:
        return (), ""
    try:
        return tuple(read_settings(file)), str(file)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    except (Exception, SystemExit) as error:
        raise AppProblem(f"{file} cannot be read: {type(error).__name__}: {error}") from None


def _plain_routes(side: Side) -> list[str]:
    """GET routes without parameters."""
    routes = side.inventory.routes
    return [route.path for route in routes if {"GET", "*"} & route.answers and "<" not in route.path and not route.host]


def _print(findings: Sequence[Finding], unknown: Sequence[str]) -> None:
    for finding in findings:
        click.echo(f"{_MARKS[finding.severity]} {finding.check}: {finding.what}")
        for item in finding.evidence[:_PLACES]:
            click.echo(f"    {_place(item)}")
        if len(finding.evidence) > _PLACES:
            click.echo(f"    and {len(finding.evidence) - _PLACES} more")
        if finding.fix:
            click.echo(f"    fix: {finding.fix}")
    for line in unknown:
        click.echo(f"not known: {line}")
    click.echo(f"{len(findings)} finding{'s' * (len(findings) != 1)}." if findings else "No findings.")


def _place(item: Evidence) -> str:
    return f"{item.seen}  {shorten(item.file, item.line)}".rstrip()
