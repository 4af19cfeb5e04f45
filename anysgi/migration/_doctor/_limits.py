"""Limits that the move takes away, or makes too small: sizes of request bodies, connections to a database."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from ._finding import Evidence, Finding, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient, Side

_UNLIMITED = frozenset(["Starlette", "FastAPI"])
"""Frameworks that read a body of any size into memory when a handler asks for it."""
_THREADS = 40  # of our adapter, and of anyio's limiter


def body_limits(patient: Patient) -> Iterator[Finding]:
    """A limit for request bodies on the old side, and none on the new one."""
    if patient.new is None or patient.new.framework not in _UNLIMITED or _is_limited(patient.new):
        return
    found = _body_limit(patient.app)
    if found is not None:
        name, limit = found
        yield Finding(
            "body-limit",
            "error",
            f"{patient.app.name} refuses request bodies beyond {limit} bytes, {patient.new.name} takes any: one client "
            "can fill the memory",
            (line_of(patient.app.files, name, limit),),
            f"body_limit(limit={limit})({patient.new.name.partition(':')[2] or 'app'}), from anysgi.middleware",
        )


def _body_limit(side: Side) -> tuple[str, int] | None:
    """The setting and its bytes."""
    if side.framework in ("Flask", "Quart"):
        limit = side.inner.config.get("MAX_CONTENT_LENGTH")
        return ("MAX_CONTENT_LENGTH", limit) if limit else None
    if side.framework == "Django":
        from django.conf import settings

        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return ("DATA_UPLOAD_MAX_MEMORY_SIZE", limit) if limit else None
    return None


def _is_limited(side: Side) -> bool:
    """Whether something around or inside the app looks like a limit."""
    inside = [getattr(item.cls, "__name__", repr(item.cls)) for item in getattr(side.inner, "user_middleware", ())]
    return any("limit" in name.lower() for name in [*inside, repr(side.app)])


def connection_budget(patient: Patient) -> Iterator[Finding]:
    """A pool of database connections that is smaller than the number of threads that want one."""
    workers = next((s.value for s in patient.gunicorn if s.name == "workers" and isinstance(s.value, int)), 1)
    for name, size in (*_sqlalchemy_pools(), *_django_pools(patient)):
        if size < _THREADS:
            yield Finding(
                "connection-budget",
                "warning",
                f"{_THREADS} threads share the {size} connections of {name}: the others wait, then fail",
                (Evidence(f"{name}: {size} connections a process, {size * workers} in {workers} process(es)"),),
                f"a pool of {_THREADS}, or as many threads as connections: WsgiToAsgi(app, threads={size}); and below "
                "the database's max_connections, with all processes together",
            )


def _sqlalchemy_pools() -> Iterator[tuple[str, int]]:
    """Engines that exist, and how many connections each may open; told by their class, without an import."""
    for thing in gc.get_objects():
        kind = type(thing)
        if kind.__name__ == "QueuePool" and kind.__module__.startswith("sqlalchemy.pool"):
            pool: Any = thing
            if pool._max_overflow >= 0:  # -1: as many as there are requests
                yield "SQLAlchemy's QueuePool", pool.size() + pool._max_overflow


def _django_pools(patient: Patient) -> Iterator[tuple[str, int]]:
    """Django's own pools for PostgreSQL; psycopg opens 4 connections unless it is told otherwise."""
    from ._django import databases

    for alias, database in databases(patient):
        pool = (database.get("OPTIONS") or {}).get("pool")
        if pool:
            options = pool if isinstance(pool, dict) else {}
            yield f"Django's pool of database {alias!r}", int(options.get("max_size") or options.get("min_size", 4))
