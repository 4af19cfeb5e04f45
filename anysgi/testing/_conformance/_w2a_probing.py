"""How the checks from WSGI to ASGI run an app inside of an adapter."""

from __future__ import annotations

from typing import Any

from .._exchange import Exchange
from .._run import run
from .._scenario import Scenario
from ._check import BOUND, Make, expect, made


def exchange(make: Make, app: Any, scenario: Scenario | None = None) -> Exchange:
    """Run an app inside of the adapter."""
    with made(make, app) as adapter:
        return run(adapter, scenario, convention="asgi", bound=BOUND)


def answered(make: Make, app: Any, scenario: Scenario | None = None) -> Exchange:
    """The same, with a response that came to its end."""
    found = exchange(make, app, scenario)
    expect(found.exception is None, f"raises {found.exception!r}")
    expect(found.complete, "the response has no end")
    return found
