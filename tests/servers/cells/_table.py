"""What the last whole run found (`results.json`), as the tables of the README and of docs/reference/servers.md."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .._process import ROOT
from ._checks import CHECKS
from ._limits import LIMITS, Limit, limit_of
from ._matrix import ASGI_FRAMEWORKS, HALVES, WSGI_FRAMEWORKS, Row

RESULTS = Path(__file__).with_name("results.json")
FRAMEWORK_PACKAGES = {name: name.removesuffix("_async") for name in {**WSGI_FRAMEWORKS, **ASGI_FRAMEWORKS}}


def collect(folder: Path) -> dict[str, Any]:
    """Join what the cells of one run wrote down; a cell that is missing is a KeyError."""
    missed = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")}
    rows = [(server, frameworks) for servers, frameworks in HALVES.values() for server in servers]
    packages = {server.package for server, _ in rows} | set(FRAMEWORK_PACKAGES.values())
    return {
        "versions": {
            package: platform.python_version() if package == "python" else version(package)
            for package in sorted(packages)
        },
        "missed": {
            server.cell: {name: missed[f"{server.cell}+{name}"] for name in frameworks} for server, frameworks in rows
        },
    }


def readme(results: Mapping[str, Any]) -> str:
    parts = [
        half(f"`{adapter}` on", *HALVES[way], results)
        for way, adapter in (("w2a", "WsgiToAsgi"), ("a2w", "AsgiToWsgi"))
    ]
    return "\n\n".join([*parts, notes()])


def half(title: str, servers: Sequence[Row], frameworks: Mapping[str, str], results: Mapping[str, Any]) -> str:
    heads = [f"{label} {version_of(FRAMEWORK_PACKAGES[name], results)}" for name, label in frameworks.items()]
    rows = [
        [server.label.format(version=version_of(server.package, results))]
        + [outcome(server.cell, name, results["missed"][server.cell][name]) for name in frameworks]
        for server in servers
    ]
    return table([title, *heads], rows)


def version_of(package: str, results: Mapping[str, Any]) -> str:
    return ".".join(results["versions"][package].split(".")[:2])


def outcome(server: str, framework: str, missed: Sequence[str]) -> str:
    found = (limit_of(server, framework, check) for check in missed)
    numbers = sorted(LIMITS.index(limit) + 1 for limit in found if limit)
    return f"all but {', '.join(map(str, numbers))}" if numbers else "all"


def notes() -> str:
    return "\n".join(f"{number}. {limit.reason}." for number, limit in enumerate(LIMITS, 1))


def checks(_: Mapping[str, Any]) -> str:
    return table(["check", "what is seen"], [[f"`{name}`", meaning(check)] for name, check in CHECKS.items()])


def meaning(check: Callable[..., None]) -> str:
    return " ".join((check.__doc__ or "").split())


def limits(_: Mapping[str, Any]) -> str:
    return table(["", "check", "where", "why"], [row(number, limit) for number, limit in enumerate(LIMITS, 1)])


def row(number: int, limit: Limit) -> list[str]:
    labels = {
        server.cell: server.label.replace(" {version}", "") for servers, _ in HALVES.values() for server in servers
    }
    names = [labels.get(limit.server, ""), {**WSGI_FRAMEWORKS, **ASGI_FRAMEWORKS}.get(limit.framework, "")]
    return [str(number), f"`{limit.check}`", ", ".join(filter(None, names)), f"{limit.reason}."]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


# The file, the word of its markers, what stands between them.
PLACES: tuple[tuple[Path, str, Callable[[Mapping[str, Any]], str]], ...] = (
    (ROOT / "README.md", "cells", readme),
    (ROOT / "docs/reference/servers.md", "checks", checks),
    (ROOT / "docs/reference/servers.md", "limits", limits),
)


def between(text: str, word: str, content: str = "") -> tuple[str, str]:
    """What stands between the markers of `word`, and the text with `content` there instead."""
    begin, end = f"<!-- {word}:begin -->", f"<!-- {word}:end -->"
    before, _, rest = text.partition(begin)
    found, _, after = rest.partition(end)
    return found.strip(), f"{before}{begin}\n{content}\n{end}{after}"


def write(results: Mapping[str, Any]) -> None:
    for path, word, render in PLACES:
        _, text = between(path.read_text(encoding="utf-8"), word, render(results))
        path.write_text(text, encoding="utf-8")
