"""What the figures were measured on: CPU, kernel, Python, versions. Also the cores a process may be bound to."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path

PACKAGES = (
    *("anysgi", "a2wsgi", "asgiref", "starlette", "fastapi", "flask", "werkzeug", "anyio"),
    *("uvicorn", "uvloop", "httptools", "granian", "gunicorn", "waitress"),
)


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def cpu_model() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def cores() -> list[int]:
    """The cores this process may use; empty where the platform cannot say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def git_commit() -> str:
    """The commit that was measured, with "+changes" where the tree is not clean; "unknown" outside git."""
    root = Path(__file__).resolve().parent.parent
    command = ["git", "describe", "--always", "--dirty=+changes"]
    try:
        run = subprocess.run(command, capture_output=True, cwd=root, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return run.stdout.decode().strip() or "unknown"


def facts() -> list[tuple[str, str]]:
    """Name and value, as they stand at the head of the report."""
    load = " ".join(f"{one:.1f}" for one in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return [
        ("CPU", f"{cpu_model()}, {len(cores()) or os.cpu_count()} cores, {memory_gib():.0f} GiB"),
        ("Kernel", f"{platform.system()} {platform.release()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("Load when it ended", f"{load} (1, 5, 15 minutes; the benchmark itself included)"),
        ("Commit", git_commit()),
        ("Packages", ", ".join(f"{package} {version(package)}" for package in PACKAGES)),
        ("Load generator", "wrk" if shutil.which("wrk") else "benchmarks.client (asyncio; slower than wrk)"),
    ]
