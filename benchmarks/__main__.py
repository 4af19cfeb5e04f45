"""The command line: `python -m benchmarks [--quick] [--only NAME] [--rounds N] [--list] [--output FILE]`."""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import (
    compression,
    files,
    imports,
    inprocess,
    machine,
    memory,
    middleware,
    readme,
    report,
    serving,
    watch,
)
from benchmarks.measure import Result
from benchmarks.payload import MIB
from benchmarks.peers import have_ours

RESULTS = Path(__file__).with_name("RESULTS.md")
README = RESULTS.parents[1] / "README.md"  # shows the ratios
DESCRIPTION = "Measures anysgi against its peers, all in one run, taking turns; prints ratios, never a lone absolute."
EPILOG = """\
examples:
  make bench                                   everything (about 10 minutes on two cores); writes benchmarks/RESULTS.md
  python -m benchmarks --quick                 everything, few rounds (under 2 minutes); prints, writes nothing
  python -m benchmarks --only wsgi-hello-1     one case;  --only 'wsgi-*'  all that match;  may be given several times
  python -m benchmarks --only flask-hello --rounds 31       more rounds where the machine is noisy
  python -m benchmarks.profile hello           where the time of one of our cases goes (cProfile)

reading the tables:
  "ours is better by 5 x (3.9 - 6.1)": in the median round a peer took five times our time (or served a fifth of our
  requests); in brackets the worst and the best round. A wide bracket means noise: close programs, add --rounds.
  A peer that hangs, fails or gives a wrong answer gets the reason instead of figures.

Load comes from wrk where it is installed (apt install wrk), else from a slower client in Python.
Without an importable anysgi the peers still run, as a baseline.
"""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One entry of --list."""

    name: str
    title: str
    run: Callable[[Say], Result | None]


def in_process_job(case: inprocess.Case, quick: bool, rounds: int | None) -> Job:
    turns = rounds or (max(3, case.rounds // 4) if quick else case.rounds)
    seconds = 0.03 if quick else 0.05

    def run(say: Say) -> Result | None:
        say(f"{turns} rounds")
        return watch.run_case(case.name, turns, seconds, inprocess.contender_names(case))

    return Job(case.name, case.title, run)


def serving_job(case: serving.Case, quick: bool, rounds: int | None) -> Job:
    turns, seconds = (rounds or (2 if quick else case.rounds)), (min(2, case.seconds) if quick else case.seconds)
    return Job(case.name, case.title, partial(serving.run, case, turns, seconds))


def middleware_job(convention: str, overhead: bool, quick: bool, rounds: int | None) -> Job:
    name = middleware.name(convention, overhead=overhead)
    beyond = ", beyond the app itself" if overhead else ""
    run = partial(middleware.run, convention, overhead=overhead, rounds=rounds or (5 if quick else 21))
    return Job(name, f"Five layers on a hello app, {convention.upper()}{beyond}", lambda say: run(say=say))


def compression_job(convention: str, quick: bool, rounds: int | None) -> Job:
    run = partial(compression.run, convention, rounds=rounds or (5 if quick else 21))
    return Job(compression.name(convention), compression.title(convention), lambda say: run(say=say))


def all_jobs(quick: bool, rounds: int | None) -> list[Job]:
    size = 1024 * MIB
    return [
        *(in_process_job(case, quick, rounds) for case in inprocess.CASES),
        *(middleware_job(*case, quick, rounds) for case in middleware.CASES),
        *(compression_job(convention, quick, rounds) for convention in ("asgi", "wsgi")),
        *(serving_job(case, quick, rounds) for case in serving.CASES),
        Job("files", "100 MiB from a file on gunicorn gthread", partial(files.run, rounds or (5 if quick else 15))),
        *(
            Job(f"memory-{flow}", title.format(size=f"{size // MIB} MiB"), partial(memory.run, flow, size, quick))
            for flow, title in memory.FLOWS.items()
        ),
        Job("import", "Import time and what came along", partial(imports.run, rounds or (11 if quick else 21))),
    ]


def chosen(jobs: list[Job], patterns: list[str]) -> list[Job]:
    if not patterns:
        return jobs
    found = [job for job in jobs if any(fnmatch.fnmatch(job.name, pattern) for pattern in patterns)]
    if not found:
        names = ", ".join(job.name for job in jobs)
        sys.exit(f"benchmarks: no case matches {' '.join(patterns)}; there are: {names}")
    return found


def progress(text: str) -> None:
    """One line on stderr; overwritten on a terminal, so that turns do not scroll by."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def progress_of(label: str, text: str) -> None:
    progress(f"{label}: {text}")


def run_all(jobs: list[Job]) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for index, job in enumerate(jobs, 1):
        label, started = f"[{index}/{len(jobs)}] {job.name}", time.monotonic()
        try:
            result = job.run(partial(progress_of, label))
        except Exception as error:  # one broken case must not cost the others
            result = Result(job.name, job.title, "", failures={"the whole case": f"{type(error).__name__}: {error}"})
        if result is not None:
            results[job.name] = result
        progress("")
        print(f"{label}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    return results


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, shorter slices: a first look")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a case or a pattern; repeatable")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of every case, instead of its own number")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the Markdown there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure there")
    options = parser.parse_args(arguments)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds wants a number of at least 1")
    return options


def where_to(options: argparse.Namespace) -> Path | None:
    """RESULTS.md is for whole runs with ours in them; anything less is printed."""
    whole = not (options.quick or options.only or options.rounds) and have_ours()
    return options.output or (RESULTS if whole else None)


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    jobs = chosen(all_jobs(options.quick, options.rounds), options.only)
    if options.list:
        print("\n".join(f"{job.name:22} {job.title}" for job in jobs))
        return
    if not have_ours():
        print("benchmarks: anysgi cannot be imported here; running the peers alone", file=sys.stderr)
    started = time.monotonic()
    results = run_all(jobs)
    command = " ".join(["python -m benchmarks", *(sys.argv[1:] if arguments is None else arguments)])
    text = report.render(results, machine.facts(), command, (time.monotonic() - started) / 60)
    if options.json:
        options.json.write_text(json.dumps({name: result.as_dict() for name, result in results.items()}, indent=1))
    if (target := where_to(options)) is None:
        print(text)
        return
    target.write_text(text)
    if target.resolve() == RESULTS.resolve():
        README.write_text(readme.renew(README.read_text(), results))
    print(report.target_table(results), report.summary(results), f"Written to {target}.", sep="\n")


if __name__ == "__main__":
    main()
