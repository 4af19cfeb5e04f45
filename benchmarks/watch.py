"""Runs a benchmark in a process of its own, line by line, with a limit on silence.

The child says whose turn it is; when it falls silent for too long, whoever had the last turn is "hung": the child is
killed by its id and started again without that contender.  So one peer's deadlock costs one row, not the run.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from benchmarks.measure import Result

ROOT = Path(__file__).resolve().parent.parent
SILENCE = 45.0  # seconds; the slowest honest turn is well under ten


class SilentChildError(Exception):
    """The child said nothing for too long, or died."""


def lines(process: subprocess.Popen[bytes], silence: float) -> Iterator[bytes]:
    """The child's lines as they come; raises where the next one takes longer than `silence` seconds."""
    assert process.stdout is not None
    descriptor, buffer, deadline = process.stdout.fileno(), b"", monotonic() + silence
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - monotonic()))
        if not ready:
            raise SilentChildError(f"hung: nothing for {silence:g} s")
        if not (chunk := os.read(descriptor, 65536)):
            return
        *whole, buffer = (buffer + chunk).split(b"\n")
        yield from whole
        deadline = monotonic() + silence


def events(module: str, arguments: list[str], silence: float = SILENCE) -> Iterator[dict[str, object]]:
    """The JSON events of `python -m module arguments…`; the child never outlives the iteration."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=ROOT)
    try:
        for line in lines(process, silence):
            if line.startswith(b"{"):
                yield json.loads(line)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def run_case(name: str, rounds: int, seconds: float, known: list[str]) -> Result | None:
    """The result of in-process case `name`; `known` are the contenders that may be blamed. None: nobody is left."""
    hung: dict[str, str] = {}
    while len(hung) < len(known):
        skip = [option for contender in hung for option in ("--skip", contender)]
        arguments = [name, "--rounds", str(rounds), "--seconds", str(seconds), *skip]
        culprit, reason = "", "the process died"
        try:
            for event in events("benchmarks.child", arguments):
                if event["event"] == "result":
                    result = Result(**event["result"])  # type: ignore[arg-type]
                    result.failures.update(hung)
                    return result
                culprit = str(event["contender"])
        except SilentChildError as error:
            reason = str(error)
        if not culprit:
            raise SilentChildError(f"case {name}: {reason} before anybody's turn")
        hung[culprit] = reason
    return None
