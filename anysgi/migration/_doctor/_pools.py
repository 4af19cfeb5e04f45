"""Every pool of threads in the process, how large it is, and who shares it."""

from __future__ import annotations

import gc
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from asgiref.sync import SyncToAsync

from ... import WorkerPool
from ._finding import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient, Side

_ANYIO = "anyio's limiter: 40 threads, shared by sync handlers, sync dependencies, UploadFile, FileResponse"
_EXECUTOR = "asyncio's default executor: {size} threads, shared by sync handlers, asyncio.to_thread, DNS look-ups"
_DJANGO = "asgiref: a new thread for each request, without a limit; sync views, sync middleware and the ORM run there"
_NOT_KNOWN = "whichever the framework uses, which is not known"
_ADAPTER = "WsgiToAsgi: 40 threads (threads=), for this app alone"
POOLS = {
    ("FastAPI", "asgi"): _ANYIO,
    ("Starlette", "asgi"): _ANYIO,
    ("Litestar", "asgi"): _EXECUTOR,
    ("Quart", "asgi"): _EXECUTOR,
    ("Falcon", "asgi"): _EXECUTOR,
    ("Django", "asgi"): _DJANGO,
}
"""Where synchronous code runs, by framework and convention.  A WSGI app under ASGI runs on the adapter's threads."""


def thread_pools(patient: Patient) -> Iterator[Finding]:
    """List the pools; more than one in a process is a warning, since together they use more than each says."""
    pools = {pool: [side for side in patient.sides if _pool(side) == pool] for pool in map(_pool, patient.sides)}
    served = [Evidence(f"{pool} <- {_users(sides)}") for pool, sides in pools.items()]
    evidence = (*served, *made_by_hand())
    yield Finding(
        "thread-pools",
        "warning" if len(pools) > 1 else "note",
        f"{len(evidence)} pool{'s' * (len(evidence) != 1)} of threads in a process; each thread may hold a database "
        "connection, in every process",
        evidence,
        _fix(sum(_pool(side) == _ADAPTER for side in patient.sides)),
    )


def _fix(adapted: int) -> str:
    """What to do about them; only several WSGI apps can share a pool of ours."""
    shared = "one WorkerPool for all WSGI apps: WsgiToAsgi(app, pool=pool).  " if adapted > 1 else ""
    own = "WsgiToAsgi(app, threads=…) sets its own.  " if adapted == 1 else ""
    return f"{shared or own}Keep the sum of all threads times the number of processes below the database's limit"


def _pool(side: Side) -> str:
    template = POOLS.get((side.framework or "", side.convention), _ADAPTER if side.convention == "wsgi" else _NOT_KNOWN)
    return template.format(size=min(32, (os.cpu_count() or 1) + 4))


def _users(sides: list[Side]) -> str:
    return ", ".join(f"{side.name} ({_sync(side)} sync handlers)" for side in sides)


def _sync(side: Side) -> int | str:
    handlers = [route.handler for route in side.inventory.routes]
    return sum(handler.kind == "sync" for handler in handlers) if side.framework else "unknown"


def made_by_hand() -> list[Evidence]:
    """Find the executors and `WorkerPool`s that the apps, or what they import, have made already."""
    # By `type`: a lazy object asked for its class would wake up.
    pools = [thing for thing in gc.get_objects() if issubclass(type(thing), (ThreadPoolExecutor, WorkerPool))]
    # asgiref makes one when it is imported, and a Router imports it.
    theirs = (pool for pool in pools if pool is not SyncToAsync.single_thread_executor)
    return [Evidence(f"{type(pool).__name__}: {_size(pool)} threads, {_holder(pool)}") for pool in theirs]


def _size(pool: ThreadPoolExecutor | WorkerPool) -> int:
    return pool.threads if isinstance(pool, WorkerPool) else pool._max_workers


def _holder(pool: object) -> str:
    """The module and name that hold a pool."""
    for module in list(sys.modules.values()):
        for name, value in vars(module).items() if hasattr(module, "__dict__") else ():
            if value is pool:
                return f"made in {module.__name__} as {name}"
    return "held by no module"
