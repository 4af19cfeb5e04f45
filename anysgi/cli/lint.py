"""`anysgi lint MODULE:APP`: drive an app through the standard scenarios, and print which rules it breaks."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from ..adapters._options import single_callable
from ._arguments import as_json, how_to_import
from ._load import load
from ._options import Options

if TYPE_CHECKING:
    from ..testing._lint._rule import Finding
    from ..testing._lint._survey import Survey
    from ._load import Loaded

_SHOWN = 5  # places per rule


@click.command()
@click.argument("target", metavar="MODULE:APP")
@click.option("--path", "paths", multiple=True, default=["/"], metavar="PATH", help="A URL to ask for.  Repeatable.")
@click.option(
    "--select", multiple=True, metavar="WORD", help="Report only these: A061, A06, must, lint, all…  Repeatable."
)
@click.option("--ignore", multiple=True, metavar="WORD", help="All but these.  Repeatable.")
@click.option("--bound", type=click.FloatRange(0.1), default=3.0, show_default=True, help="Seconds a request may take.")
@how_to_import
@as_json
def lint(
    as_json: bool, paths: tuple[str, ...], select: tuple[str, ...], ignore: tuple[str, ...], bound: float, **given: Any
) -> None:
    """Run an app through a standard set of requests, and print the rules of its spec that it breaks.

    \b
    anysgi lint shop:app
    anysgi lint shop:app --path / --path /cart --path /events
    anysgi lint shop:app --select must --json
    anysgi lint shop:app --ignore A086 --ignore lint

    The requests are GET, HEAD, OPTIONS and POST, whole, in pieces and cut short, odd paths and queries, clients that
    leave; for an ASGI app its lifespan and its WebSockets too.  POST requests are really made: use a test database.

    Exit code: 0 no MUST is broken, 1 one is, or the app cannot be used, 2 wrong usage.
    """
    loaded = load(Options(**given))
    found = _survey(loaded, paths, select, ignore, bound)
    click.echo(json.dumps(_report(loaded, found)) if as_json else _as_text(loaded, found))
    sys.exit(1 if found.broken else 0)


def _survey(
    loaded: Loaded, paths: tuple[str, ...], select: tuple[str, ...], ignore: tuple[str, ...], bound: float
) -> Survey:
    from ..testing._lint._report import USUAL
    from ..testing._lint._survey import survey

    targets = [quote(path, safe="/%:@!$&'()*+,;=~").encode("ascii") for path in paths]
    if odd := next((path for path in paths if not path.startswith("/") or "?" in path), None):
        raise click.UsageError(f"--path {odd!r} is no path: write it from the first '/' on, without a query")
    try:
        app: Any = loaded.app
        app = single_callable(app) if loaded.convention == "asgi" else app
        return survey(app, loaded.convention, targets, select=select or USUAL, ignore=ignore, bound=bound)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _report(loaded: Loaded, found: Survey) -> dict[str, Any]:
    return {
        "target": f"{loaded.module}:{loaded.attribute}",
        "convention": found.convention,
        "requests": found.scenarios,
        "findings": [_as_dict(name, finding) for name, finding in found.findings],
        "notes": found.notes,
    }


def _as_dict(scenario: str, finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule.id,
        "severity": finding.severity,
        "party": finding.party,
        "what": finding.rule.what,
        "message": finding.message,
        "where": finding.where,
        "scenario": scenario,
        "spec": finding.rule.spec,
        "write": finding.rule.write,
    }


def _as_text(loaded: Loaded, found: Survey) -> str:
    by_rule = groupby(sorted(found.findings, key=_rule_of), key=_rule_of)
    blocks = [_block(list(findings)) for _, findings in by_rule]
    counts = f"{found.scenarios} requests, {len(found.findings)} findings, {len(blocks)} rules"
    return "\n".join([f"{loaded}: {counts}", *blocks, *(f"note: {note}" for note in found.notes)])


def _rule_of(found: tuple[str, Finding]) -> str:
    return found[1].rule.id


def _block(found: list[tuple[str, Finding]]) -> str:
    rule = found[0][1].rule
    places = [f"    {finding.where} ({scenario}): {finding.message}" for scenario, finding in found[:_SHOWN]]
    more = [f"    … and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    title = f"\n{rule.id}  {found[0][1].severity}  {rule.what}"
    return "\n".join([title, *places, *more, f"    write: {rule.write}", f"    {rule.spec}"])
