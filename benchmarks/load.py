"""Load on one URL for some seconds: `wrk`, or `benchmarks.client`, or `.websockets`; all of them answer alike."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.payload import HELLO
from benchmarks.watch import ROOT

LUA = Path(__file__).with_name("wrk.lua")


class LoadError(Exception):
    """The load generator hung, or the server answered wrongly under load."""


@dataclass(frozen=True)
class Summary:
    """One slice of load; durations and latencies in microseconds, as wrk gives them."""

    requests: int
    bytes: int
    duration: int
    errors: int
    status: int
    timeouts: int
    p50: int
    p99: int

    @property
    def per_second(self) -> float:
        return self.requests * 1e6 / self.duration

    def complaint(self) -> str:
        """What was wrong with the answers; empty where nothing was."""
        if not self.requests:
            return "no request was answered"
        if self.status or self.errors or self.timeouts:
            found = f"{self.status} bad statuses, {self.errors} socket errors and {self.timeouts} timeouts"
            return f"{found} in {self.requests} requests"
        if self.bytes < self.requests * len(HELLO):
            return f"{self.bytes} bytes for {self.requests} answers of at least {len(HELLO)}"
        return ""


def command(url: str, connections: int, seconds: int) -> list[str]:
    if url.startswith("ws:"):
        return [sys.executable, "-m", "benchmarks.websockets", url, str(connections), str(seconds)]
    if wrk := shutil.which("wrk"):
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", str(LUA)]
        return [wrk, *options, url]
    return [sys.executable, "-m", "benchmarks.client", url, str(connections), str(seconds)]


def start(url: str, connections: int, seconds: int, cores: list[int] | None) -> subprocess.Popen[bytes]:
    bind = partial(os.sched_setaffinity, 0, cores) if cores else None
    line = command(url, connections, seconds)
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, preexec_fn=bind)


def finish(process: subprocess.Popen[bytes], seconds: int) -> Summary:
    """Waits for the load to end (bounded) and reads its summary."""
    try:
        output, _ = process.communicate(timeout=seconds + 20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise LoadError("hung: the load generator got no end") from None
    found = [line for line in output.decode(errors="replace").splitlines() if line.startswith("{")]
    if not found:
        raise LoadError(f"no summary from the load generator: {output.decode(errors='replace')[-200:]}")
    summary = Summary(**json.loads(found[-1]))
    if complaint := summary.complaint():
        raise LoadError(complaint)
    return summary
