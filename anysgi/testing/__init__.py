"""anysgi.testing: one kit for WSGI and ASGI apps.

    from anysgi.testing import Disconnect, Scenario, run

    exchange = run(app, Scenario(target=b"/events", peer=[Disconnect(after_messages=2)]))

Nothing here needs pytest or hypothesis; the pytest plugin and `anysgi.testing.strategies` do.  Names are imported when
they are first asked for (PEP 562): pytest loads the plugin in every project that has anysgi installed.
"""

TYPE_CHECKING = False  # what type checkers read as true
if TYPE_CHECKING:
    from ._blocking import Block, blocking
    from ._conformance._check import CheckResult, Report
    from ._conformance._suites import check_asgi_to_wsgi, check_middleware, check_wsgi_to_asgi
    from ._differences import LOSSY, assert_same
    from ._exchange import Event, Exchange, Leak
    from ._lint._asgi import LintASGI
    from ._lint._rule import Finding, Rule
    from ._lint._wsgi import LintWSGI
    from ._peer_events import Disconnect, Pause, PeerEvent, SendBlocks, SendFails
    from ._presets import Preset, presets
    from ._program_apps import AsgiProgram, WsgiProgram
    from ._programs import (
        Echo,
        Program,
        ProgramError,
        Raise,
        Read,
        ReadLine,
        Restart,
        Say,
        Step,
    )
    from ._run import arun, run
    from ._scenario import Scenario
    from ._servers._served import ServedApp, served_by
    from ._servers._suites import check_asgi_server, check_wsgi_server
    from ._transports._asgi_transport import ASGITransport
    from ._transports._flask_client import FlaskClient
    from ._transports._lifespan_manager import LifespanManager
    from ._transports._test_client import TestClient, TestWebSocket
    from ._transports._websocket_session import WebSocketSession, connect_websocket
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
    # clients
    "FlaskClient",
    "TestClient",
    "TestWebSocket",
    "WebSocketSession",
    "connect_websocket",
    # the validators
    "Finding",
    "LintASGI",
    "LintWSGI",
    "Rule",
    # two apps against each other
    "LOSSY",
    "assert_same",
    # event loops
    "Block",
    "blocking",
    # conformance
    "CheckResult",
    "Report",
    "ServedApp",
    "check_asgi_server",
    "check_asgi_to_wsgi",
    "check_middleware",
    "check_wsgi_server",
    "check_wsgi_to_asgi",
    "served_by",
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

_HOMES = {
    "_blocking": ("Block", "blocking"),
    "_conformance._check": ("CheckResult", "Report"),
    "_conformance._suites": ("check_asgi_to_wsgi", "check_middleware", "check_wsgi_to_asgi"),
    "_differences": ("LOSSY", "assert_same"),
    "_exchange": ("Event", "Exchange", "Leak"),
    "_lint._asgi": ("LintASGI",),
    "_lint._rule": ("Finding", "Rule"),
    "_lint._wsgi": ("LintWSGI",),
    "_peer_events": ("Disconnect", "Pause", "PeerEvent", "SendBlocks", "SendFails"),
    "_presets": ("Preset", "presets"),
    "_program_apps": ("AsgiProgram", "WsgiProgram"),
    "_programs": (
        "Echo",
        "Program",
        "ProgramError",
        "Raise",
        "Read",
        "ReadLine",
        "Restart",
        "Say",
        "Step",
    ),
    "_run": ("arun", "run"),
    "_scenario": ("Scenario",),
    "_servers._served": ("ServedApp", "served_by"),
    "_servers._suites": ("check_asgi_server", "check_wsgi_server"),
    "_transports._asgi_transport": ("ASGITransport",),
    "_transports._lifespan_manager": ("LifespanManager",),
    "_transports._flask_client": ("FlaskClient",),
    "_transports._test_client": ("TestClient", "TestWebSocket"),
    "_transports._websocket_session": ("WebSocketSession", "connect_websocket"),
    "_transports._wsgi_transport": ("WSGITransport",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # a checker would take any name for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
        found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
