"""`health`: whether the process lives, and whether it can serve, answered before anything else looks at the request."""

from __future__ import annotations

import json
import logging
from time import monotonic
from typing import TYPE_CHECKING, Any

from ._dual import Dual
from ._layer import Flow, middleware
from ._response import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from ._dual import Call
    from ._request import Request

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
        cache: seconds a result is used again, so that probes cannot be turned into load.
        limit: seconds for a check that is awaited: what takes longer has failed.  One that blocks cannot be stopped.
        draining: whether the process is about to stop; readiness is 503 then, and no check is made.
    """
    named = {name: _limited(check, limit) for name, check in (checks or {}).items()}
    results: dict[str, bool] = {}
    valid_until = 0.0

    def examine() -> Generator[Call, Any, dict[str, bool]]:
        nonlocal results, valid_until
        if monotonic() >= valid_until:
            found = {}
            for name, check in named.items():
                found[name] = yield from _passes(name, check)
            results, valid_until = found, monotonic() + cache
        return results

    def flow(request: Request) -> Flow:
        if request.method not in ("GET", "HEAD"):
            return None
        if request.path == live:
            return _answer(True, {})
        if request.path == ready:
            if draining():
                return _answer(False, {"draining": False})
            found = yield from examine()
            return _answer(all(found.values()), found)
        return None

    return flow


def _limited(check: Callable[[], object] | Dual, seconds: float | None) -> Callable[[], object] | Dual:
    """The check, which raises `TimeoutError` where it is awaited for too long."""
    if seconds is None or not isinstance(check, Dual) or check.asynchronous is None:
        return check
    wait: Any = check.asynchronous
    limit = seconds

    async def limited() -> object:
        from anyio import fail_after

        with fail_after(limit):
            return await wait()

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
