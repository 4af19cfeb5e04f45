"""What `import anysgi` costs and what it brings in, each time in a fresh interpreter.

The module names come from `sys.modules`; whatever is neither of the standard library nor among the declared
dependencies (`project.dependencies`, and theirs) counts as an extra.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from statistics import median

from benchmarks.measure import Result, Slice, take_turns
from benchmarks.peers import OURS, have_ours
from benchmarks.watch import ROOT

BOTH = f"{OURS}: both adapters"
STATEMENTS = {
    OURS: "import anysgi",
    BOTH: "from anysgi import AsgiToWsgi, WsgiToAsgi",
    "a2wsgi": "import a2wsgi",
    "asgiref.wsgi": "import asgiref.wsgi",
    "asyncio alone": "import asyncio",
}
PROGRAM = """
import sys, time
before = set(sys.modules)
started, cpu = time.perf_counter(), time.process_time()
{statement}
elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
import json
print(json.dumps([elapsed * 1000, cpu * 1000, sorted(set(sys.modules) - before - {{"json"}})]))
"""


def import_once(statement: str) -> tuple[float, float, list[str]]:
    """Milliseconds on the clock and of the processor, and the modules that are there afterwards and were not before."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM.format(statement=statement)]
    run = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=60)
    if run.returncode:
        raise RuntimeError(run.stderr.decode(errors="replace").strip().splitlines()[-1])
    elapsed, cpu, modules = json.loads(run.stdout)
    return elapsed, cpu, modules


def declared() -> set[str]:
    """The import names of our dependencies and of theirs, from pyproject.toml and the installed metadata."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    todo, known = list(project["dependencies"]), {OURS}
    while todo:
        requirement = todo.pop()
        name = re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("-", "_")
        if name in known or "extra ==" in requirement:
            continue
        known.add(name)
        try:
            todo += importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
    return known


def brought_in(modules: list[str]) -> tuple[list[str], list[str]]:
    """The top-level names of third-party modules that came along, and those of them that are extras."""
    roots = {module.partition(".")[0] for module in modules}
    strangers = sorted(root for root in roots if root not in sys.stdlib_module_names and root != OURS)
    allowed = declared()
    return strangers, [root for root in strangers if root.lower() not in allowed]


def describe(name: str, modules: list[str], result: Result) -> None:
    """Notes what came along; extras are a matter of ours only."""
    strangers, extras = brought_in(modules)
    result.facts[name] = {"modules": len(modules), "asyncio among them": float("asyncio" in modules)}
    if name.startswith(OURS):
        result.facts[name]["extras"] = len(extras)
        words = f"{', '.join(strangers) or 'nothing'}; extras among it: {', '.join(extras) or 'none'}."
        result.notes.append(f"`{STATEMENTS[name]}` brings in from outside the standard library: {words}")


def run(rounds: int, say: Callable[[str], None]) -> Result:
    result = Result("import", "Import time, fresh process each time", "ms")
    slices: dict[str, Slice] = {}
    cpu: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for name, statement in STATEMENTS.items():
        if name.startswith(OURS) and not have_ours():
            continue
        try:
            describe(name, import_once(statement)[2], result)  # untimed: it may have to write the .pyc files
        except RuntimeError as error:
            result.fail(name, str(error))
            continue
        slices[name] = partial(one_slice, statement, cpu[name])
    take_turns(result, slices, rounds, say)
    for name in result.samples:
        result.facts[name]["CPU ms"] = median(cpu[name])
    return result


def one_slice(statement: str, cpu: list[float]) -> float:
    elapsed, processor, _ = import_once(statement)
    cpu.append(processor)
    return elapsed
