"""`anysgi advise MODULE:APP --requests FILE`: would ASGI help?  For each route, from running it."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import click

from ..exceptions import ScenarioError
from ..migration._advise import (
    Advice,
    Demand,
    Effort,
    LoopAdvice,
    advise,
    advise_on_a_loop,
    by_route,
    scope_of,
    watched,
)
from ..migration._compare._running import SAFE
from ..migration._compare._side_headers import given as given_headers
from ..migration._inventory import take_inventory
from ._arguments import as_json, header_option, how_to_import, is_watched, progress_option
from ._errors import AppProblem
from ._load import load
from ._options import THREADS, Options
from ._recording import open_recording
from ._tables import print_table, require_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..migration._advise import Estimate
    from ..migration._compare._exchanges import Asked, Headers
    from ._load import Loaded
    from ._recording import Recording

_MOST = 100_000  # requests that are read
_NOT_KNOWN = (
    "whether the client libraries it waits in have an asyncio API, and whether its waits are independent",
    "the latency of your production services, if the ones used here are near or empty",
    "memory, and what other routes do to this one in the same process",
)

_NOT_KNOWN_ON_A_LOOP = (
    "waiting inside C extensions, such as a database driver's own sockets, if it happens on the event loop",
    "what the routes do on other threads: it holds up nobody else",
)


@click.command("advise")
@click.argument("target", metavar="MODULE:APP")
@how_to_import
@click.option(
    "--requests",
    "file",
    metavar="FILE",
    required=True,
    help="A recording, a HAR file, JSON lines: method, path; or `-` for stdin.",
)
@click.option("--threads", type=click.IntRange(1), default=THREADS, show_default=True, help="A process has today.")
@click.option("--rate", type=float, help="Requests/s of a process, spread over the routes as in FILE.")
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="In the contended run.")
@click.option("--samples", type=click.IntRange(1), default=60, show_default=True, help="Requests per route and run.")
@click.option("--seconds", type=click.FloatRange(0.1), default=10.0, show_default=True, help="At most per run.")
@click.option("--unsafe", is_flag=True, help="Send POST, PUT, PATCH and DELETE too.  They are real.")
@click.option("--trial", is_flag=True, help="Run each route on threads and on a loop, and print the error.")
@header_option("--header", "every request gets")
@progress_option
@as_json
def advise_command(
    file: str,
    threads: int,
    rate: float | None,
    concurrency: int,
    samples: int,
    seconds: float,
    unsafe: bool,
    trial: bool,
    header: Headers,
    progress: bool | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Say for each route whether ASGI would help, or what blocks its event loop, from running it in this process.

    \b
    anysgi advise shop:app --requests requests.jsonl
    anysgi advise shop:app --requests requests.jsonl --threads 8 --rate 120 --trial
    anysgi advise api:app --requests requests.jsonl            on ASGI already: what holds up the loop
    anysgi advise shop:app --requests traffic.jsonl --header "Authorization: Token $TOKEN"

    \b
    MOVE        threads end before the CPU does, and the waiting needs no thread
    KEEP        a move would gain nothing that can be measured
    STAY        CPU in one piece: it would stop an event loop
    FIX FIRST   its requests wait for each other, or block the event loop; no server changes that
    UNKNOWN     too few samples, failures, waiting nobody can see, or too close to call

    The requests are real.  Each route is run alone and against itself; a machine that is busy otherwise makes the
    intervals wider, not the answer wrong.

    Exit code: 0 every route has a verdict, 1 one is UNKNOWN or FIX FIRST, or the app cannot be run, 2 wrong usage.
    """
    require_tables(as_json)
    requests = [given_headers(request, header) for request in _read(open_recording(file))]
    with watched():
        loaded = load(Options(**given))
        sent = [request for request in requests if unsafe or request.method in SAFE]
        groups = by_route(sent, take_inventory(loaded.app))
        begin = _counting(len(groups), is_watched(progress))
        found: dict[str, Advice | LoopAdvice | None] = {}
        if loaded.convention == "asgi":
            found |= {one.route: one for one in advise_on_a_loop(loaded.app, groups, samples, seconds, begin)}
        else:
            effort = Effort(samples, seconds, concurrency, trial)
            for route, group in groups.items():
                begin(route)
                demand = Demand(threads, rate and rate * len(group) / len(sent))
                found[route] = advise(route, loaded.app, group, demand, effort)
    skipped = len(requests) - len(sent)
    if as_json:
        click.echo(json.dumps(_report(loaded, found, skipped)))
    else:
        _print(loaded, found, skipped)
    raise SystemExit(any(item is None or item.verdict.word in ("UNKNOWN", "FIX FIRST") for item in found.values()))


def _counting(total: int, watched: bool) -> Callable[[str], None]:
    """A line for each route, and no bar: what draws itself anew takes time from what is measured."""
    number = count(1)

    def begin(route: str) -> None:
        if watched:
            click.echo(f"measuring {next(number)}/{total}: {route}", err=True)

    return begin


def _read(recording: Recording) -> list[Asked]:
    try:
        requests = [recorded.request for recorded in islice(recording.requests(), _MOST)]
        for request in requests:
            scope_of(request)
    except ScenarioError as error:
        raise AppProblem(f"{request.at}: no client could send this: {error}") from None
    if not requests:
        raise AppProblem(f'{recording} holds no requests. A line of it: {{"method": "GET", "path": "/items/7"}}')
    return requests


def _print(loaded: Loaded, found: dict[str, Advice | LoopAdvice | None], skipped: int) -> None:
    columns = ("route", "wall ms", "cpu ms", "waits ms", "burst ms", "verdict", "why")
    print_table(columns, (_row(route, advice) for route, advice in found.items()), f"{loaded}")
    for line in _not_known(loaded, skipped):
        click.echo(f"not known: {line}")


def _row(route: str, advice: Advice | LoopAdvice | None) -> tuple[str, ...]:
    if advice is None:
        return route, "", "", "", "", "UNKNOWN", _NO_END
    waits = "\n".join(f"{kind} {time * 1e3:.1f}" for kind, time in advice.measured.waits.items() if time > 1e-4)
    burst = f"{advice.measured.burst * 1e3:.1f}"
    if isinstance(advice, LoopAdvice):
        return route, "", "", waits, burst, advice.verdict.word, advice.verdict.why
    measured, trial = advice.measured, advice.trial
    why = advice.verdict.why
    if trial is not None:
        why += f"\ntrial: a loop gains {trial.measured:.2f}x, predicted {trial.predicted:.2f}x ({trial.error:+.0%})"
    times = (_milliseconds(measured.wall), _milliseconds(measured.cpu))
    return route, *times, waits, burst, advice.verdict.word, why


def _milliseconds(time: Estimate) -> str:
    return f"{time.value * 1e3:.1f}\n{time.low * 1e3:.1f}-{time.high * 1e3:.1f}"


def _report(loaded: Loaded, found: dict[str, Advice | LoopAdvice | None], skipped: int) -> dict[str, Any]:
    routes = [{"route": route, **_reported(advice)} for route, advice in found.items()]
    return {"target": f"{loaded.module}:{loaded.attribute}", "routes": routes, "not_known": _not_known(loaded, skipped)}


def _reported(advice: Advice | LoopAdvice | None) -> dict[str, Any]:
    if advice is None:
        return {"verdict": "UNKNOWN", "why": _NO_END, "measured": None, "trial": None}
    trial = advice.trial if isinstance(advice, Advice) else None
    return {
        "verdict": advice.verdict.word,
        "why": advice.verdict.why,
        "measured": asdict(advice.measured),
        "trial": trial and {**asdict(trial), "error": trial.error},
    }


_NO_END = "a request did not end: a stream, or a long poll?  Those are what ASGI is for; measure it with a client"


def _not_known(loaded: Loaded, skipped: int) -> list[str]:
    some = f"{skipped} request{'s' * (skipped != 1)}"
    unsent = [f"{some} of the file that would change something; --unsafe sends them"] if skipped else []
    return [*unsent, *(_NOT_KNOWN_ON_A_LOOP if loaded.convention == "asgi" else _NOT_KNOWN)]
