"""anysgi.testing: one kit for WSGI and ASGI apps.

    from anysgi.testing import Disconnect, Scenario, run

    exchange = run(app, Scenario(target=b"/events", peer=[Disconnect(after_messages=2)]))

Nothing here needs pytest or hypothesis; the pytest plugin and `anysgi.testing.strategies` do.
"""

from __future__ import annotations

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
    # the validators
    "Finding",
    "LintASGI",
    "LintWSGI",
    "Rule",
    # two apps against each other
    "LOSSY",
    "assert_same",
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
