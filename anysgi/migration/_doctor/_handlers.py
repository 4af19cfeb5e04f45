"""What the inventory found in the source of handlers that does not go with an event loop, or with shared threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._finding import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._inventory import Fact, Route
    from ._finding import Patient


def blocking_in_async(patient: Patient) -> Iterator[Finding]:
    """A blocking call in an async handler stops every other request of the process while it lasts."""
    for route, facts in _with(patient, ("blocking", "lock"), "async"):
        yield Finding(
            "blocking-in-async",
            "error",
            f"{_name(route)} waits on the event loop: every other request of the process waits with it",
            _evidence(facts),
            "def instead of async def, so that it runs on a thread; or await anyio.to_thread.run_sync(…)",
        )


def thread_locals(patient: Patient) -> Iterator[Finding]:
    """State kept by thread: a thread serves many requests, and one request may use several threads."""
    for kind in ("sync", "async"):
        found = list(_with(patient, ("threadlocal",), kind))
        if not found:
            continue
        yield Finding(
            "thread-locals",
            "error" if kind == "async" else "warning",
            (f"{_name(found[0][0])} keeps" if len(found) == 1 else f"{len(found)} handlers keep")
            + " state by thread: "
            + (
                "on an event loop all requests share one thread, and see each other's"
                if kind == "async"
                else "a pool's thread serves the next request with what this one left"
            ),
            tuple(_by_place(found)),
            "contextvars.ContextVar; for SQLAlchemy, scopefunc= by request, or a session for each request",
        )


def _by_place(found: list[tuple[Route, list[Fact]]]) -> Iterator[Evidence]:
    """Each place once, however many handlers come by, with who does."""
    routes: dict[tuple[str, str, int], dict[str, None]] = {}
    for route, facts in found:
        for fact in facts:
            routes.setdefault((fact.what, fact.file, fact.line), {})[_asked(route)] = None
    for (what, file, line), names in routes.items():
        first, *more = names
        others = f" and {len(more)} more" if more else ""
        yield Evidence(f"{what} <- {first}{others}", file, line)


def _with(patient: Patient, kinds: tuple[str, ...], handler: str) -> Iterator[tuple[Route, list[Fact]]]:
    for side in patient.sides:
        for route in side.inventory.routes:
            facts = [fact for fact in route.handler.facts if fact.kind in kinds]
            if facts and route.handler.kind == handler:
                yield route, facts


def _name(route: Route) -> str:
    return f"{_asked(route)} ({route.handler.name})"


def _asked(route: Route) -> str:
    return f"{' '.join(route.methods)} {route.path}"


def _evidence(facts: list[Fact]) -> tuple[Evidence, ...]:
    return tuple(Evidence(fact.what, fact.file, fact.line) for fact in facts)
