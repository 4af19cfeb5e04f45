"""`rate_limit`: so many requests in so much time, counted by `limits` in memory, Redis, Memcached or MongoDB."""

from __future__ import annotations

import logging
import math
import time
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, Literal

from ._engine._answers import problem
from ._engine._dual import Dual
from ._engine._layer import Flow, middleware
from ._memory import AsyncMemory

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._engine._dual import Call
    from ._engine._request import Request
    from ._engine._response import Response

log = logging.getLogger("anysgi.rate_limit")


def by_client(request: Request) -> str:
    """The client's address: put `proxy_headers` outside, or it is the proxy's.

    Of IPv6 it is the network (/64), in which one client has as many addresses as it likes.  Clients whose address the
    server does not know, as behind a unix socket, are counted as one.
    """
    client = request.client or ""
    if ":" not in client:
        return client or "unknown"
    try:
        address = IPv6Address(client)
    except ValueError:
        return client
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))


@middleware(websocket=True)
def rate_limit(
    *,
    limit: str,
    store: Dual | str = "memory://",
    key: Callable[[Request], str | None] = by_client,
    cost: Callable[[Request], int] | None = None,
    count: Callable[[Request, Response], bool] | None = None,
    strategy: Literal["fixed-window", "sliding-window-counter", "moving-window"] = "sliding-window-counter",
    name: str = "default",
    store_down: Literal["open", "closed"] = "open",
    legacy: bool = False,
) -> Callable[[Request], Flow]:
    """Answer 429 beyond a limit, and tell every response how much of it is left (draft-ietf-httpapi-ratelimit-headers).

    A WebSocket handshake counts as a request; the messages behind it do not.

    Args:
        limit: `"100/minute"`, `"5 per 10 seconds"`, as `limits` reads it.
        store: where hits are counted: a URL of `limits`, such as `"redis://localhost:6379"`, or a `Dual` of two of its
            strategies.  `"memory://"` counts in each process of its own.
        key: who is counted; None exempts a request.  By default the client's address, or its /64 network in IPv6;
            clients without one, as behind a unix socket, are counted together.
        cost: hits a request counts for, instead of 1.
        count: whether a response makes its request count, such as that to a failed login.  The limit is looked at
            before, and counted after; requests that are under way at once may go beyond it.
        strategy: how `limits` counts; see its documentation.
        name: the policy's name in the headers, and what keeps two limits in one store apart.
        store_down: let requests pass (`"open"`) or answer 503 (`"closed"`) while the store fails; either is logged.
        legacy: also send X-RateLimit-Limit, -Remaining and -Reset.

    Raises:
        ValueError: a limit, store or strategy that `limits` does not know.
        ImportError: `limits` is missing; write: pip install 'anysgi[ratelimit]'
    """
    from limits import parse

    item = parse(limit)
    counter = store if isinstance(store, Dual) else _strategies(store, strategy)
    quota = f'"{name}";q={item.amount};w={item.get_expiry()}'

    def fields(remaining: int, reset: float) -> list[tuple[str, str]]:
        seconds = max(0, math.ceil(reset - time.time()))
        told = [("ratelimit-policy", quota), ("ratelimit", f'"{name}";r={remaining};t={seconds}')]
        if legacy:
            told.append(("x-ratelimit-limit", str(item.amount)))
            told += [("x-ratelimit-remaining", str(remaining)), ("x-ratelimit-reset", str(math.ceil(reset)))]
        return told

    def flow(request: Request) -> Flow:
        who = key(request)
        if who is None:
            return None
        bucket, hits = (item, name, who), cost(request) if cost else 1
        answer: Any = yield from _ask(counter.test if count else counter.hit, counter, bucket, hits)
        if answer is None:
            return None if store_down == "open" else problem(request, 503, "The server cannot count requests.")
        allowed, window = answer
        told = fields(max(0, window.remaining), window.reset_time)
        if not allowed:
            wait = max(1, math.ceil(window.reset_time - time.time()))
            detail = f"No more than {item.amount} requests in {item.get_expiry()} seconds."
            return problem(request, 429, detail, [("retry-after", str(wait)), *told])
        response: Response = yield request
        if count and count(request, response):
            answer = yield from _ask(counter.hit, counter, bucket, hits)
            told = told if answer is None else fields(max(0, answer[1].remaining), answer[1].reset_time)
        response.headers.extend(told)
        return None

    return flow


def _ask(method: Callable[..., Call], counter: Dual, bucket: tuple[Any, str, str], hits: int) -> Flow:
    """Ask the store whether there is room, counting or not, and what is left; None if it fails."""
    try:
        allowed: bool = yield method(*bucket, cost=hits)
        return allowed, (yield counter.get_window_stats(*bucket))
    except Exception:
        log.exception("the store of rate_limit %r failed", bucket[1])
        return None


def _strategies(url: str, strategy: str) -> Dual:
    import limits.aio.strategies
    import limits.strategies
    from limits.errors import ConfigurationError
    from limits.storage import storage_from_string

    if strategy not in limits.strategies.STRATEGIES:
        raise ValueError(f"rate_limit(strategy={strategy!r}): write one of {', '.join(limits.strategies.STRATEGIES)}")
    # `limits` types both tables by their abstract base.
    sync: Callable[[Any], object] = limits.strategies.STRATEGIES[strategy]
    if url.startswith("memory:"):
        counter = sync(storage_from_string(url))
        return Dual(sync=counter, asynchronous=AsyncMemory(counter))  # that of `limits.aio` runs on asyncio alone
    asynchronous: Callable[[Any], object] = limits.aio.strategies.STRATEGIES[strategy]
    sides: list[object] = []
    for make, place in ((sync, url), (asynchronous, f"async+{url}")):
        options = {"implementation": "redispy"} if place.startswith("async+redis") else {}  # the client people have
        try:
            sides.append(make(storage_from_string(place, **options)))
        except ConfigurationError as error:
            sides.append(None)  # its client library is missing, which matters only in its convention ...
            missing = error
    if sides == [None, None]:  # ... unless there is nothing left to count with
        raise ValueError(f"rate_limit(store={url!r}): {missing}")
    return Dual(sync=sides[0], asynchronous=sides[1])
