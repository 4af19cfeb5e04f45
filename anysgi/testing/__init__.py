"""anysgi.testing: one kit for WSGI and ASGI apps.

    from anysgi.testing import Disconnect, Scenario, run

    exchange = run(app, Scenario(target=b"/events", peer=[Disconnect(after_messages=2)]))

Nothing here needs pytest or hypothesis; the pytest plugin and `anysgi.testing.strategies` do.
"""

from __future__ import annotations

from ._conformance._check import CheckResult, Report
from ._conformance._suites import check_asgi_to_wsgi, check_middleware, check_wsgi_to_asgi
from ._differences import LOSSY, assert_same
from ._exchange import Event, Exchange, Leak
from ._lint._asgi import LintASGI
from ._lint._rule import Finding, Rule
from ._lint._wsgi import LintWSGI
from ._peer_events import Disconnect, Pause, PeerEvent, SendBlocks, SendFails
from ._presets import Preset, presets
from ._programs import (
    AsgiProgram,
    Echo,
    Program,
    ProgramError,
    Raise,
    Read,
    ReadLine,
    Restart,
    Say,
    Step,
    WsgiProgram,
)
from ._run import arun, run
from ._scenario import Scenario
from ._transports._asgi_transport import ASGITransport
from ._transports._lifespan_manager import LifespanManager
from ._transports._wsgi_transport import WSGITransport

__all__ = [
    # what is run
    "Disconnect",
    "Pause",
    "PeerEvent",
    "Preset",
    "Scenario",
    "SendBlocks",
    "SendFails",
    "presets",
    # running it
    "arun",
    "run",
    # what comes of it
    "Event",
    "Exchange",
    "Leak",
    # behind a client of httpx2 or httpx
    "ASGITransport",
    "LifespanManager",
    "WSGITransport",
    # the validators
    "Finding",
    "LintASGI",
    "LintWSGI",
    "Rule",
    # two apps against each other
    "LOSSY",
    "assert_same",
    # conformance
    "CheckResult",
    "Report",
    "check_asgi_to_wsgi",
    "check_middleware",
    "check_wsgi_to_asgi",
    # apps in neither convention
    "AsgiProgram",
    "Echo",
    "Program",
    "ProgramError",
    "Raise",
    "Read",
    "ReadLine",
    "Restart",
    "Say",
    "Step",
    "WsgiProgram",
]
