"""What every adapter must do, done by ours: each check of `anysgi.testing`, on each loop and in each mode.

The other files of this folder hold what only our adapters promise: their options, their errors, their insides.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import uvloop

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.testing import LintASGI, LintWSGI, arun
from anysgi.testing._conformance._asgi_to_wsgi import ASGI_TO_WSGI
from anysgi.testing._conformance._wsgi_to_asgi import WSGI_TO_ASGI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from anysgi.testing import Exchange, Finding
    from anysgi.testing._conformance._check import Check

# These hold an app, or a server around the adapter, that is written for asyncio.
FOR_ASYNCIO = {
    "a_cancelled_receive_loses_nothing",
    "a_cancelled_request_closes_the_iterable",
    "a_chunk_leaves_before_the_app_goes_on",
    "a_slow_client_holds_the_app_up",
    "after_the_body_receive_waits",
    "an_upload_streams",
    "close_ends_the_app",
    "lifespan_runs_before_the_first_request",
    "requests_run_at_the_same_time",
}


def cases(checks: Iterable[Check], modes: Iterable[str]) -> list[Any]:
    """Every check in every mode it can be run in, a test each."""
    return [
        pytest.param(mode, check, id=f"{check.name}-{mode}")
        for check in checks
        for mode in modes
        if mode != "trio" or check.name not in FOR_ASYNCIO
    ]


def the_adapters_own(findings: Iterable[Finding]) -> list[str]:
    """The adapter's mistakes, and not those that a check has its server make on purpose."""
    return [str(finding) for finding in findings if finding.party == "app"]


# A WSGI app on an ASGI server


@contextmanager
def linted_wsgi_to_asgi(app: Any) -> Iterator[LintASGI]:
    adapter = WsgiToAsgi(app)
    linted = LintASGI(adapter, on="collect")
    yield linted
    adapter.drain()
    assert the_adapters_own(linted.findings) == []


def run_on(
    backend: str, options: dict[str, Any], app: Any, scenario: Any = None, *, convention: Any = "asgi", bound: float
) -> Exchange:
    """`anysgi.testing.run`, on another loop than its own."""
    return anyio.run(
        partial(arun, app, scenario, convention=convention, bound=bound), backend=backend, backend_options=options
    )


LOOPS: dict[str, tuple[str, dict[str, Any]]] = {
    "asyncio": ("asyncio", {}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
    "trio": ("trio", {}),
}


@pytest.mark.parametrize(("loop", "check"), cases(WSGI_TO_ASGI, LOOPS))
def test_from_wsgi_to_asgi(loop: str, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[check.run.__module__]
    for using in (module, sys.modules[f"{module.__package__}._w2a_probing"]):
        monkeypatch.setattr(using, "run", partial(run_on, *LOOPS[loop]), raising=False)
    if loop == "uvloop":
        monkeypatch.setattr(asyncio, "run", asyncio.Runner(loop_factory=uvloop.new_event_loop).run)
    check.run(linted_wsgi_to_asgi)


# An ASGI app on a WSGI server


@contextmanager
def linted_asgi_to_wsgi(app: Any, **options: Any) -> Iterator[LintWSGI]:
    with AsgiToWsgi(app, grace=0.1, **options) as adapter:
        linted = LintWSGI(adapter, on="collect")
        yield linted
    assert the_adapters_own(linted.findings) == []


MODES: dict[str, dict[str, Any]] = {
    "asyncio": {"loop": "asyncio"},
    "uvloop": {"loop": "uvloop"},
    "trio": {"loop": "trio"},
    "inline": {"mode": "inline"},
}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(("mode", "check"), cases(ASGI_TO_WSGI, MODES))
def test_from_asgi_to_wsgi(mode: str, check: Check) -> None:
    make = (
        AsgiToWsgi if check.name == "the_environ_is_left_as_it_was" else linted_asgi_to_wsgi
    )  # LintWSGI wraps its input
    check.run(partial(make, **MODES[mode]))
