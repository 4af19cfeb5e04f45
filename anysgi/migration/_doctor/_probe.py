"""Run requests in process, and see what they leave behind: descriptors, threads, tasks, generators.

The collector is off meanwhile: what only garbage collection closes is kept open as long as it does not run, and under
load that is long enough to use up a database's connections.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...exceptions import ExchangeTimeout
from ...testing import Scenario, arun
from .._lifespan import started
from ._finding import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...testing import Exchange
    from ._finding import Side

_AT_ONCE = 8
_OURS = ("asyncio_", "anysgi-")
_WAITS = "anysgi.testing: waits"
_BOUND = 10.0  # seconds for a request
_SERVER = ("localhost", 80)  # apps that look at the Host header allow this one
_SETTLING = 0.1  # seconds that what a request started may take to end
_FEWEST = 3  # of a kind that count as a leak: pools and caches keep one or two


def probe(side: Side, requests: int, paths: list[str]) -> Iterator[Finding]:
    """Drive requests through an app, eight at a time, and report what they left behind.

    Args:
        side: the app.  It is really called.
        requests: how many, spread over the paths.
        paths: what to GET.

    Yields:
        One finding for each kind of thing that outlives its request.
    """
    if not paths:
        yield Finding("run", "note", "there is no GET route without parameters to run", fix="--path /a/real/path")
        return
    yield from asyncio.run(_Probe(side, requests, paths).run())


class _Probe:
    def __init__(self, side: Side, requests: int, paths: list[str]) -> None:
        self.side = side
        self.turns = [paths[number % len(paths)] for number in range(requests)]
        self.paths = paths
        self.left: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def run(self) -> list[Finding]:
        async with started(self.side.app, self.side.convention) as state:
            for path in self.paths:  # pools and caches fill now: what is kept on purpose is no leak
                await self._batch([path] * _AT_ONCE, state)
            self.left.clear()
            self.failed.clear()
            self.refused.clear()
            with _no_collection():
                files, threads, tasks = _descriptors(), _threads(), _tasks()
                for first in range(0, len(self.turns), _AT_ONCE):
                    await self._batch(self.turns[first : first + _AT_ONCE], state)
                await asyncio.sleep(_SETTLING)
                opened, grown = _descriptors() - files, _threads() - threads
                self.left += _tasks() - tasks
            await asyncio.sleep(_SETTLING)
            kept, alive = _descriptors() - files, _threads() - threads
        leaks = (*self._descriptors(opened, kept), *self._threads(grown, alive), *self._left_behind())
        return [*leaks, *self._failures()]

    async def _batch(self, paths: list[str], state: dict[str, object] | None) -> None:
        await asyncio.gather(*(self._one(path, state) for path in paths))

    async def _one(self, path: str, state: dict[str, object] | None) -> None:
        try:
            exchange = await arun(
                self.side.app,
                Scenario(target=path, server=_SERVER),
                convention=self.side.convention,
                bound=_BOUND,
                state=state,
            )
        except ExchangeTimeout:
            self.failed[f"GET {path}: no end within {_BOUND} s"] += 1
            return
        self._note(path, exchange)

    def _note(self, path: str, exchange: Exchange) -> None:
        # Several requests run at once, so whose a thread or a task is cannot be told: those are counted at the end.
        self.left.update(str(leak) for leak in exchange.leaks if leak.kind == "generator")
        if exchange.exception is not None:
            self.failed[f"GET {path}: {type(exchange.exception).__name__}: {exchange.exception}"] += 1
        elif exchange.status is None or exchange.status >= 500:
            self.failed[f"GET {path}: status {exchange.status}"] += 1
        elif exchange.status >= 400:
            self.refused[f"GET {path}: status {exchange.status}"] += 1

    def _descriptors(self, opened: Counter[str], kept: Counter[str]) -> Iterator[Finding]:
        if opened.total() >= _FEWEST:
            collected = opened.total() - kept.total()
            yield Finding(
                "run",
                "error",
                f"{opened.total()} descriptors are open after {len(self.turns)} requests that were not before; garbage "
                f"collection closed {collected} of them",
                _most(opened),
                "close them in the request; for Django, CONN_MAX_AGE = 0",
            )

    def _threads(self, grown: Counter[str], alive: Counter[str]) -> Iterator[Finding]:
        if grown.total() >= _FEWEST:
            collected = grown.total() - alive.total()
            yield Finding(
                "run",
                "error",
                f"{grown.total()} threads more after {len(self.turns)} requests, {_AT_ONCE} at a time; garbage "
                f"collection ended {collected} of them",
                _most(grown),
                "join them in the request, or use a pool",
            )

    def _left_behind(self) -> Iterator[Finding]:
        if self.left:
            yield Finding(
                "run",
                "error",
                f"{self.left.total()} things outlive their request",
                _most(self.left),
                "close generators in finally, await or cancel tasks, join threads",
            )

    def _failures(self) -> Iterator[Finding]:
        if self.failed:
            yield Finding(
                "run",
                "warning",
                f"{self.failed.total()} of {len(self.turns)} requests failed",
                _most(self.failed),
            )
        if self.refused:
            yield Finding(
                "run",
                "note",
                f"{self.refused.total()} of {len(self.turns)} requests were refused: what they would have left behind "
                "cannot be seen",
                _most(self.refused),
                "--path /a/path/that/answers",
            )


def _most(found: Counter[str]) -> tuple[Evidence, ...]:
    return tuple(Evidence(f"{count} x {name}") for name, count in found.most_common(5))


@contextmanager
def _no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


def _threads() -> Counter[str]:
    """Count the threads by name, numbers left out; our own, such as those that run the probe, do not count."""
    names = (re.sub(r"\d+", "N", thread.name) for thread in threading.enumerate())
    return Counter(name for name in names if not name.startswith(_OURS))


def _tasks() -> Counter[str]:
    """Count the tasks of the running loop by what they run; not those of the probe, which wait for what an app left."""
    tasks = (task for task in asyncio.all_tasks() if not task.get_name().startswith(_WAITS))
    return Counter(f"task {getattr(task.get_coro(), '__qualname__', task)}" for task in tasks)


def _descriptors() -> Counter[str]:
    """Count the open descriptors of this process by what they are; of nothing where the system does not tell."""
    found: Counter[str] = Counter()
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return found
    for number in numbers:
        try:
            name = os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # the one that lists the folder
            continue
        found[name.partition(":[")[0]] += 1
    return found
