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
from anysgi.testing._conformance import _w2a_probing
from anysgi.testing._conformance._asgi_to_wsgi import ASGI_TO_WSGI
from anysgi.testing._conformance._wsgi_to_asgi import WSGI_TO_ASGI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from anysgi.testing import CheckResult, Exchange, Finding, Scenario
    from anysgi.testing._conformance._check import Check

# These hold an app, or a server around the adapter, that is written for asyncio.
FOR_ASYNCIO = {
    "a_cancelled_upload_ends_for_the_app",
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


def holds(result: CheckResult) -> None:
    assert result.passed, f"{result}; {result.why}"


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


OTHER_LOOPS: dict[str, dict[str, Any]] = {
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


def run_on(
    loop: str, app: Any, scenario: Scenario | None = None, *, convention: Any = "asgi", bound: float
) -> Exchange:
    """`anysgi.testing.run`, on another loop than its own."""
    return anyio.run(partial(arun, app, scenario, convention=convention, bound=bound), **OTHER_LOOPS[loop])


def run_on_uvloop(main: Any) -> Any:
    """`asyncio.run`, on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


@pytest.mark.parametrize(("loop", "check"), cases(WSGI_TO_ASGI, ["asyncio", *OTHER_LOOPS]))
def test_from_wsgi_to_asgi(loop: str, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    if loop in OTHER_LOOPS:
        for using in (sys.modules[check.run.__module__], _w2a_probing):
            monkeypatch.setattr(using, "run", partial(run_on, loop), raising=False)
    if loop == "uvloop":
        monkeypatch.setattr(asyncio, "run", run_on_uvloop)
    holds(check.try_on(linted_wsgi_to_asgi))


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
    watched = check.name != "the_environ_is_left_as_it_was"  # LintWSGI puts its own input there
    holds(check.try_on(partial(linted_asgi_to_wsgi if watched else AsgiToWsgi, **MODES[mode])))
