"""`health`: whether the process lives, and whether it can serve, answered before anything else looks at the request."""

from __future__ import annotations

import json
import logging
import math
from time import monotonic
from typing import TYPE_CHECKING, Any

from ._engine._dual import Dual
from ._engine._layer import Flow, middleware
from ._engine._response import Response
from ._places import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from ._engine._dual import Call
    from ._engine._request import Request

log = logging.getLogger("anysgi.health")


@middleware
def health(
    *,
    live: str = "/livez",
    ready: str = "/readyz",
    checks: Mapping[str, Callable[[], object] | Dual] | None = None,
    cache: float = 1.0,
    limit: float | None = 5.0,
    draining: Callable[[], bool] = bool,
) -> Callable[[Request], Flow]:
    """Answer liveness with 200 always, readiness with 200 or 503 and a JSON object of what was checked.

    Args:
        live: path of the liveness probe: is the process to be restarted?
        ready: path of the readiness probe: may it get requests?
        checks: by name, what must work: a function that raises or returns False where it does not, called directly and
            therefore quick, or a `Dual` of two that do I/O.
        cache: seconds a result is used again, so that probes cannot be turned into load.  Nor can those that come while
            the checks run: they get the result before, and at first that nothing is ready.
        limit: seconds for a check that is awaited: what takes longer has failed.  One that blocks cannot be stopped,
            but from then on the other probes are told that nothing is ready.
        draining: whether the process is about to stop; readiness is 503 then, and no check is made.
    """
    named = {name: _limited(check, limit) for name, check in (checks or {}).items()}
    examination = _Examination(named, cache, math.inf if limit is None else limit * len(named))

    def flow(request: Request) -> Flow:
        if request.method not in ("GET", "HEAD"):
            return None
        if request.path == live:
            return _answer(True, {})
        if request.path == ready:
            if draining():
                return _answer(False, {"draining": False})
            found = yield from examination.results()
            return _answer(all(found.values()), found)
        return None

    return flow


class _Examination:
    """The checks, made by one probe at a time.

    Args:
        checks: by name.
        cache: seconds their results hold.
        patience: seconds all of them may take before the results before count for nothing.
    """

    __slots__ = ("_cache", "_checks", "_examiner", "_hold_until", "_late_from", "_patience", "_results")

    def __init__(self, checks: Mapping[str, Callable[[], object] | Dual], cache: float, patience: float) -> None:
        self._checks = checks
        self._cache, self._patience = cache, patience
        self._examiner = Places(1)
        self._results = self._none_passed()
        self._hold_until = self._late_from = 0.0

    def results(self) -> Generator[Call, Any, dict[str, bool]]:
        """Whether each check passes."""
        if monotonic() < self._hold_until:
            return self._results
        if not self._examiner.take():
            return self._results if monotonic() < self._late_from else self._none_passed()
        self._late_from = monotonic() + self._patience
        try:
            found = {}
            for name, check in self._checks.items():
                found[name] = yield from _passes(name, check)
            self._results, self._hold_until = found, monotonic() + self._cache
            return found
        finally:
            self._examiner.leave()

    def _none_passed(self) -> dict[str, bool]:
        return dict.fromkeys(self._checks, False)


def _limited(check: Callable[[], object] | Dual, seconds: float | None) -> Callable[[], object] | Dual:
    """The check, which raises `TimeoutError` where it is awaited for too long."""
    if seconds is None or not isinstance(check, Dual) or check.asynchronous is None:
        return check
    limit = seconds

    async def limited() -> object:
        from anyio import fail_after

        with fail_after(limit):
            return await check().awaited()

    return Dual(sync=check.sync, asynchronous=limited)


def _passes(name: str, check: Callable[[], object] | Dual) -> Generator[Call, Any, bool]:
    try:
        result = (yield check()) if isinstance(check, Dual) else check()
    except Exception:
        log.warning("the check %r failed", name, exc_info=True)
        return False
    return result is not False


def _answer(well: bool, checks: Mapping[str, bool]) -> Response:
    body = {
        "status": "ok" if well else "unavailable",
        "checks": {n: "ok" if v else "failed" for n, v in checks.items()},
    }
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return Response(200 if well else 503, json.dumps(body).encode(), headers)
