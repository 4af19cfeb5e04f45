"""`anysgi advise MODULE:APP --requests FILE`: would ASGI help?  For each route, from running it."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..exceptions import RecordingError, ScenarioError
from ..migration._advise import SAFE, Demand, Effort, advise, by_route, scope_of, watched
from ..migration._compare._recordings import read_recording
from ..migration._inventory import take_inventory
from ._arguments import as_json, how_to_import
from ._errors import AppProblem
from ._load import load
from ._options import THREADS, Options
from ._tables import print_table

if TYPE_CHECKING:
    from ..migration._advise import Advice, Estimate
    from ..migration._compare._exchanges import Asked
    from ._load import Loaded

_MOST = 100_000  # requests that are read
_NOT_KNOWN = (
    "whether the client libraries it waits in have an asyncio API, and whether its waits are independent",
    "the latency of your production services, if the ones used here are near or empty",
    "memory, and what other routes do to this one in the same process",
)


@click.command("advise")
@click.argument("target", metavar="MODULE:APP")
@how_to_import
@click.option(
    "--requests",
    "file",
    type=click.Path(path_type=Path),
    required=True,
    help="A recording, a HAR file, or JSON lines: method, path.",
)
@click.option("--threads", type=click.IntRange(1), default=THREADS, show_default=True, help="A process has today.")
@click.option("--rate", type=float, help="Requests/s of a process, spread over the routes as in FILE.")
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="In the contended run.")
@click.option("--samples", type=click.IntRange(1), default=60, show_default=True, help="Requests per route and run.")
@click.option("--seconds", type=click.FloatRange(0.1), default=10.0, show_default=True, help="At most per run.")
@click.option("--unsafe", is_flag=True, help="Send POST, PUT, PATCH and DELETE too.  They are real.")
@click.option("--trial", is_flag=True, help="Run each route on threads and on a loop, and print the error.")
@as_json
def advise_command(
    file: Path,
    threads: int,
    rate: float | None,
    concurrency: int,
    samples: int,
    seconds: float,
    unsafe: bool,
    trial: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Say for each route of a WSGI app whether ASGI would help, from running it in this process.

    \b
    anysgi advise shop:app --requests requests.jsonl
    anysgi advise shop:app --requests requests.jsonl --threads 8 --rate 120 --trial

    \b
    MOVE        threads end before the CPU does, and the waiting needs no thread
    KEEP        a move would gain nothing that can be measured
    STAY        CPU in one piece: it would stop an event loop
    FIX FIRST   its requests wait for each other; no server changes that
    UNKNOWN     too few samples, failures, waiting nobody can see, or too close to call

    The requests are real.  Each route is run alone and against itself; a machine that is busy otherwise makes the
    intervals wider, not the answer wrong.

    Exit code: 0 every route has a verdict, 1 one is UNKNOWN or FIX FIRST, or the app cannot be run, 2 wrong usage.
    """
    requests = _read(file)
    with watched():
        loaded = load(Options(**given))
        if loaded.convention != "wsgi":
            raise AppProblem(f"{loaded} is on ASGI already. For what goes wrong there: anysgi doctor {given['target']}")
        sent = [request for request in requests if unsafe or request.method in SAFE]
        effort = Effort(samples, seconds, concurrency, trial)
        groups = by_route(sent, take_inventory(loaded.app))
        found = [
            (route, advise(route, loaded.app, group, Demand(threads, rate and rate * len(group) / len(sent)), effort))
            for route, group in groups.items()
        ]
    skipped = len(requests) - len(sent)
    if as_json:
        click.echo(json.dumps(_report(loaded, found, skipped)))
    else:
        _print(loaded, found, skipped)
    raise SystemExit(any(item is None or item.verdict.word in ("UNKNOWN", "FIX FIRST") for _route, item in found))


def _read(file: Path) -> list[Asked]:
    try:
        requests = [recorded.request for recorded in islice(read_recording(file), _MOST)]
        for request in requests:
            scope_of(request)
    except OSError as error:
        raise AppProblem(f"{file} cannot be read: {error}") from None
    except RecordingError as error:
        raise AppProblem(str(error)) from None
    except ScenarioError as error:
        raise AppProblem(f"{request.at}: no client could send this: {error}") from None
    if not requests:
        raise AppProblem(f'{file} holds no requests. A line of it: {{"method": "GET", "path": "/items/7"}}')
    return requests


def _print(loaded: Loaded, found: list[tuple[str, Advice | None]], skipped: int) -> None:
    columns = ("route", "wall ms", "cpu ms", "waits ms", "burst ms", "verdict", "why")
    print_table(columns, (_row(route, advice) for route, advice in found), f"{loaded}")
    for line in _not_known(skipped):
        click.echo(f"not known: {line}")


def _row(route: str, advice: Advice | None) -> tuple[str, ...]:
    if advice is None:
        return route, "", "", "", "", "UNKNOWN", _NO_END
    measured, trial = advice.measured, advice.trial
    waits = (f"{kind} {time * 1e3:.1f}" for kind, time in measured.waits.items() if time > 1e-4)
    why = advice.verdict.why
    if trial is not None:
        why += f"\ntrial: a loop gains {trial.measured:.2f}x, predicted {trial.predicted:.2f}x ({trial.error:+.0%})"
    times = (_milliseconds(measured.wall), _milliseconds(measured.cpu))
    return route, *times, "\n".join(waits), f"{measured.burst * 1e3:.1f}", advice.verdict.word, why


def _milliseconds(time: Estimate) -> str:
    return f"{time.value * 1e3:.1f}\n{time.low * 1e3:.1f}-{time.high * 1e3:.1f}"


def _report(loaded: Loaded, found: list[tuple[str, Advice | None]], skipped: int) -> dict[str, Any]:
    routes = [
        {"route": route, "verdict": "UNKNOWN", "why": _NO_END, "measured": None, "trial": None}
        if advice is None
        else {
            "route": route,
            "verdict": advice.verdict.word,
            "why": advice.verdict.why,
            "measured": asdict(advice.measured),
            "trial": advice.trial and {**asdict(advice.trial), "error": advice.trial.error},
        }
        for route, advice in found
    ]
    return {"target": f"{loaded.module}:{loaded.attribute}", "routes": routes, "not_known": _not_known(skipped)}


_NO_END = "a request did not end: a stream, or a long poll?  Those are what ASGI is for; measure it with a client"


def _not_known(skipped: int) -> list[str]:
    unsent = [f"{skipped} requests of the file that would change something; --unsafe sends them"] if skipped else []
    return [*unsent, *_NOT_KNOWN]
