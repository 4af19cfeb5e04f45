"""What `compare` and `replay` share: whom to ask, progress, and where the result goes."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from datetime import datetime
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING

import click

from ..migration._compare._report import html_report, junit_report
from ..migration._compare._summary import Summary
from ..migration._compare._targets import AppTarget, UrlTarget
from ..migration._route_names import namer_of
from ._arguments import WRITTEN, app_dir, as_json, is_watched, progress_option, together, write
from ._errors import AppProblem
from ._load import load
from ._options import Options
from ._tables import has_tables, print_table, require_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from ..migration._compare._noise import Noise
    from ..migration._compare._running import Compared
    from ..migration._compare._targets import Target
    from ..migration._route_names import Namer
    from ._recording import Recording


where_it_goes = together(
    click.option("--report", **WRITTEN, help="Write an HTML page."),
    click.option("--junit", **WRITTEN, help="Write a JUnit file for CI."),
    as_json,
    click.option(
        "--ignore", multiple=True, metavar="PLACE", help="A place to leave out, as $.at or etag.  Repeatable."
    ),
    click.option("--isolated", is_flag=True, help="The data may be changed: send every method."),
    click.option("--limit", type=click.IntRange(min=1), help="Stop after so many requests."),
    progress_option,
    click.option("--timeout", type=float, default=30.0, show_default=True, help="Seconds an answer may take."),
    app_dir("apps"),
)
"""The options of both commands."""


def target(name: str, app_dir: Sequence[str], timeout: float) -> Target:
    """Open `MODULE:APP` or a URL.

    Raises:
        AppProblem: the app cannot be used, or nobody answers at the URL.
        click.UsageError: it is neither.
    """
    if name.startswith(("http://", "https://")):
        try:
            server = UrlTarget(name, timeout=timeout)
            server.reach()
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        except OSError as error:
            raise AppProblem(f"Nobody can be asked at {name}: {error}") from None
        return server
    return AppTarget(load(Options(name, app_dir)).app, timeout=timeout)


def namer(*targets: Target) -> Namer:
    """Name requests by the routes of an app, where one is among the targets."""
    return namer_of(each.app for each in targets if isinstance(each, AppTarget))


def ready(
    requests: Recording | None, limit: int | None, *, as_json: bool, progress: bool | None, report: Path | None
) -> int:
    """Say whatever can be known to be missing or wrong before the first request is sent.

    Args:
        requests: the recording, which is read as far as `limit` asks for it; None if there is none.
        limit: at most so many requests.
        as_json, progress, report: the options, for what they need to be installed.

    Returns:
        How many requests there will be; 0 if that cannot be told.

    Raises:
        AppProblem: a package is missing, or the recording is broken or empty.
        click.UsageError: the recording cannot be read.
    """
    require_tables(as_json and not progress)
    if report is not None and find_spec("jinja2") is None:
        raise AppProblem('The report needs jinja2. Install it: pip install "anysgi[migration]"')
    if requests is None:
        return 0
    total = sum(1 for _ in islice(requests.requests(), limit))
    if not total:
        raise AppProblem(f'{requests} holds no requests. A line of it: {{"method": "GET", "path": "/items/7"}}')
    return total


def summarize(
    results: Iterable[Compared], *, progress: bool | None, total: int, given: Collection[str] = ()
) -> Summary:
    """Count results as they come.

    Args:
        results: one a request.
        progress: whether to draw a bar; None: where somebody watches.
        total: how many there will be; 0 if that is not known.
        given: names of headers that both sides were given instead of the recorded ones.
    """
    summary = Summary(given)
    with _bar(total or None) if has_tables() and is_watched(progress) else nullcontext(_unseen) as advance:
        for compared in results:
            summary.add(compared)
            advance(summary)
    return summary


def _unseen(summary: Summary) -> None:
    """Nobody watches."""


@contextmanager
def _bar(total: int | None) -> Iterator[Callable[[Summary], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("comparing", total=total)

        def advance(summary: Summary) -> None:
            bar.update(task, advance=1, description=f"{summary.different} differ")

        yield advance


def publish(
    summary: Summary,
    *,
    old: str,
    new: str,
    noise: Noise,
    report: Path | None,
    junit: Path | None,
    as_json: bool,
    header_options: str,
) -> None:
    """Write and print what came of it; ends the command with its exit code.

    Args:
        header_options: what to write for requests that went without a credential.
    """
    if as_json:
        click.echo(json.dumps({"old": old, "new": new, **summary.as_json(), "noise": noise.places()}))
    else:
        _print(summary, noise, header_options)
    if report is not None:
        when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
        write(report, html_report(summary, old=old, new=new, noise=noise.places(), when=when))
    if junit is not None:
        write(junit, junit_report(summary))
    raise SystemExit(bool(summary.different or not summary.same))  # an empty comparison proves nothing


def _print(summary: Summary, noise: Noise, header_options: str) -> None:
    everywhere = summary.in_every_answer
    rows = [
        (name, f"{one.request.target}\n{one.request.at}", finding.kind, finding.place, finding.old, finding.new)
        for name, route in summary.routes.items()
        for one in route.examples[:2]
        for finding in [each for each in one.findings if not each.informative and each not in everywhere][:5]
    ]
    if rows:
        print_table(("route", "request", "difference", "place", "old", "new"), rows)
    asked = summary.same + summary.different
    for finding in everywhere:
        became = f"{finding.old or 'nothing'} became {finding.new or 'nothing'}"
        click.echo(f"all {asked} answers: {finding.kind} {finding.place}: {became}")
    for reason, count in summary.skipped.items():
        click.echo(f"{count} not compared: {reason}")
    for name, count in summary.redacted.items():
        click.echo(
            f"{count} sent without {name}, which the recording left out, so that a stranger is answered; give "
            f"{header_options}, or record a test system with redact_headers=()"
        )
    noisy = noise.places()
    if noisy:
        click.echo(f"left out as noise in {len(noisy)} route(s); --json and --report tell the places")
    routes = [route.different for route in summary.routes.values() if route.same or route.different]
    if summary.different:
        click.echo(
            f"{summary.different} of {asked} answers differ, in {sum(map(bool, routes))} of {len(routes)} routes."
        )
    else:
        click.echo(f"{asked} answer{'s' * (asked != 1)} compared, no difference." if asked else "Nothing was compared.")
