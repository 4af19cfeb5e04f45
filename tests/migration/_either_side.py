"""What differs between a router that sends everything to legacy and one that sends everything to the new side."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from anysgi.migration import Router, RouteTable
from anysgi.migration._compare._exchanges import Asked, Recorded
from anysgi.migration._compare._noise import Noise
from anysgi.migration._compare._running import compare
from anysgi.migration._compare._targets import AppTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    from anysgi.migration._table import Side

SIDES: tuple[Side, Side] = ("legacy", "new")
JSON = ("content-type", "application/json")


def ask(method: str, target: str, *headers: tuple[str, str], body: str | bytes = "") -> Recorded:
    sent = body.encode() if isinstance(body, str) else body
    return Recorded(Asked(method, target, (("host", "localhost"), *headers), sent))


def differences(
    server: str, make: Callable[[str], tuple[Any, Any]], requests: list[Recorded], *ignored: str
) -> list[tuple[str, Any]]:
    """Ask the same of both, every method, whatever differs by itself or is `ignored` left out.

    Args:
        server: the convention of the router, `wsgi` or `asgi`.
        make: makes the apps of the two sides anew, given the name of the side that will answer.
        requests: in order.
    """
    told, answered = [], 0
    with ExitStack() as stack:
        targets = []
        for side in SIDES:
            table = RouteTable(default=side, fallthrough=frozenset())
            router = Router(*make(side), table=table, switches=())
            stack.callback(router.close)
            targets.append(stack.enter_context(AppTarget(getattr(router, server))))
        for one in compare(requests, *targets, noise=Noise(ignored), isolated=True):
            assert one.new is not None
            answered += one.new.status < 400
            told += [
                (f"{one.request.method} {one.request.target}", finding)
                for finding in one.findings
                if not finding.informative
            ]
    assert answered >= len(requests) / 3, "most of it should work"
    return told
