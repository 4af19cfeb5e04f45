"""`python -m benchmarks.child CASE …`: runs one in-process case and reports line by line on stdout, in JSON.

A process of its own, because a contender may hang for good (its threads cannot be killed): `watch` in the parent sees
who was last, kills this process by its id and starts the case again without the culprit.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from functools import partial
from statistics import median

from benchmarks.inprocess import BY_NAME, Case, Check, Lap, contenders, use_cores
from benchmarks.measure import Result, Slice, calibrate, take_turns


def say(event: str, **details: object) -> None:
    print(json.dumps({"event": event, **details}), flush=True)


def one_slice(lap: Lap, count: int, scale: float, cpu: list[float]) -> float:
    """The cost of one request in the unit of the case; `cpu` gets the processor time of all threads, likewise."""
    gc.collect()  # the rubbish of the contender before is not ours to sweep
    before = time.process_time()
    elapsed = lap(count)
    cpu.append((time.process_time() - before) / count * scale)
    return elapsed / count * scale


def prepare(case: Case, lap: Lap, check: Check | None, seconds: float, cpu: list[float]) -> Slice:
    """Checks one answer byte by byte, finds the size of a slice, and returns the slice."""
    if check is not None:
        check()
    count = calibrate(lap, seconds, case.width, case.most)
    return partial(one_slice, lap, count, case.scale, cpu)


def run(case: Case, rounds: int, seconds: float, skip: list[str]) -> Result:
    use_cores(case.cores)
    laps, checks = contenders(case)
    result = Result(case.name, case.title, case.unit)
    slices: dict[str, Slice] = {}
    cpu: dict[str, list[float]] = {name: [] for name in laps}
    for name in [name for name in laps if name not in skip]:
        say("turn", contender=name)
        try:
            slices[name] = prepare(case, laps[name], checks.get(name), seconds, cpu[name])
        except Exception as error:
            result.fail(name, f"{type(error).__name__}: {error}")
    gc.freeze()
    take_turns(result, slices, rounds, lambda name: say("turn", contender=name))
    result.facts = {name: {f"CPU {case.unit}": median(cpu[name])} for name in result.samples}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.child")
    parser.add_argument("case", choices=list(BY_NAME))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.05, help="length of one slice")
    parser.add_argument("--skip", action="append", default=[], metavar="CONTENDER")
    options = parser.parse_args()
    result = run(BY_NAME[options.case], options.rounds, options.seconds, options.skip)
    say("result", result=result.as_dict())
    sys.stdout.flush()
    os._exit(0)  # not sys.exit: a peer's stuck worker thread would keep us for ever


if __name__ == "__main__":
    main()
