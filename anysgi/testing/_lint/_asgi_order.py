"""The order of ASGI messages, one table a protocol.  The rules that the tables name are in `_asgi_conduct`.

A table says, state by state, what each event leads to: another state, or the id of the rule it breaks, in which case
the state stays.  States are phrases, so that a message can be made of them.  An event is a message's type, with a `+`
when more of its kind is to come (or, for a start, trailers), or one of the app's endings.

    HTTP_REQUEST    what the server may deliver      BODY -> COMPLETE -> GONE
    HTTP_RESPONSE   what the app may send            IDLE -> STARTED -> STREAMING -> DONE, TRAILERS where announced
    WEBSOCKET       both sides                       CONNECTING -> HANDSHAKE -> OPEN -> CLOSED, GONE; DENYING -> DENIED
    LIFESPAN        both sides                       NEW -> STARTING -> RUNNING -> STOPPING -> STOPPED; FAILED
                    PUZZLED by an unknown event, CUT_OFF when its wait was cancelled
"""

from __future__ import annotations

from typing import Any

from ._asgi_extensions import DEBUG, HINT, PATHSEND, PUSH, TRAILERS, ZEROCOPY
from ._rule import ASGI, Milder, Severity

RETURN, CANCELLED, INTERRUPTED = "return", "cancelled", "its receive() was cancelled"
Table = dict[str, dict[str, str]]

_START, _BODY, _WS_START, _WS_BODY = (
    "http.response.start",
    "http.response.body",
    "websocket.http.response.start",
    "websocket.http.response.body",
)

# --- HTTP

IDLE, DEBUGGED = "before http.response.start", "after http.response.debug"
STARTED, STREAMING, COPYING = "after http.response.start", "while the body was sent", "after http.response.zerocopysend"
AWAITING, DONE, PATHED = "before the trailers", "after the response was complete", "after http.response.pathsend"


def _either(event: str, following: str) -> dict[str, str]:
    """An event that leads to the same whether more is announced or not."""
    return {event: following, f"{event}+": following}


def _started(end: str, suffix: str) -> Table:
    """The states from the start on; `end` is where the last body leads, `suffix` tells the states apart."""
    streaming, copying = STREAMING + suffix, COPYING + suffix
    path_end = PATHED if end is DONE else end
    late = {_START: "A062", f"{_START}+": "A062", DEBUG: "A132", **_either(TRAILERS, "A130")}
    body = {_BODY: end, f"{_BODY}+": streaming, ZEROCOPY: end, f"{ZEROCOPY}+": copying}
    first, later = STARTED + suffix, {**late, **body, **_either(PATHSEND, "A126")}
    return {
        first: {**late, **body, PUSH: first, HINT: first, **_either(PATHSEND, path_end), RETURN: "A071"},
        streaming: {**later, PUSH: streaming, HINT: streaming, RETURN: "A074"},
        copying: {**later, PUSH: copying, HINT: copying, RETURN: "A125"},
    }


_EARLY = {_BODY: "A061", f"{_BODY}+": "A061", **_either(ZEROCOPY, "A061"), **_either(PATHSEND, "A061")}
_TOO_EARLY = {**_EARLY, **_either(TRAILERS, "A130"), PUSH: "A121", HINT: "A129", RETURN: "A061"}
_BEGIN = {_START: STARTED, f"{_START}+": f"{STARTED}, with trailers"}
_OVER = {**_BEGIN, **_either(TRAILERS, "A130"), PUSH: "A121", HINT: "A129:must", DEBUG: "A132", RETURN: DONE}
_OVER |= {_START: "A062", f"{_START}+": "A062", **_either(_BODY, "A075"), **_either(ZEROCOPY, "A075")}

HTTP_RESPONSE: Table = {
    IDLE: {**_TOO_EARLY, **_BEGIN, DEBUG: DEBUGGED},
    DEBUGGED: {**_TOO_EARLY, **_BEGIN, DEBUG: "A132"},
    **_started(DONE, ""),
    **_started(AWAITING, ", with trailers"),
    AWAITING: {**_OVER, f"{TRAILERS}+": AWAITING, TRAILERS: DONE, **_either(PATHSEND, "A126"), RETURN: "A130"},
    PATHED: {**_OVER, **_either(_BODY, "A126"), **_either(PATHSEND, "A126")},
    DONE: {**_OVER, **_either(PATHSEND, "A126")},
}

BODY, COMPLETE, GONE = "while the body arrived", "after the body was complete", "after the disconnect"
_REQUEST, _EMPTY, _DISCONNECT = "http.request", "http.request, empty", "http.disconnect"

HTTP_REQUEST: Table = {
    BODY: {f"{_REQUEST}+": BODY, _REQUEST: COMPLETE, _EMPTY: COMPLETE, _DISCONNECT: GONE},
    COMPLETE: {**_either(_REQUEST, "A054"), _EMPTY: "A055", _DISCONNECT: GONE},
    GONE: {**_either(_REQUEST, "A056"), _EMPTY: "A056", _DISCONNECT: GONE},
}

# --- WebSocket

CONNECTING, HANDSHAKE, OPEN = "before websocket.connect", "during the handshake", "while the socket was open"
CLOSED, LEFT = "after websocket.close", "after websocket.disconnect"
DENYING, DENIED = "during a denial response", "after the denial response"
_CONNECT, _RECEIVE, _LEAVE = "websocket.connect", "websocket.receive", "websocket.disconnect"
_ACCEPT, _SEND, _CLOSE = "websocket.accept", "websocket.send", "websocket.close"
_DENIAL_ONLY = {_ACCEPT: "A120", _SEND: "A120", _CLOSE: "A120", _WS_START: "A120", _CONNECT: "A090", _RECEIVE: "A092"}

WEBSOCKET: Table = {
    CONNECTING: {
        **{_ACCEPT: "A091", _SEND: "A091", _CLOSE: "A091:ambiguous"},  # Starlette's 404 is a close, unseen
        **dict.fromkeys((_WS_START, _WS_BODY, f"{_WS_BODY}+"), "A120"),
        **{_CONNECT: HANDSHAKE, _RECEIVE: "A090", _LEAVE: "A090", RETURN: "A091"},
    },
    HANDSHAKE: {
        **{_ACCEPT: OPEN, _CLOSE: CLOSED, _WS_START: DENYING, _SEND: "A091", **_either(_WS_BODY, "A120")},
        **{_CONNECT: "A090", _RECEIVE: "A092", _LEAVE: LEFT, RETURN: "A091"},
    },
    OPEN: {
        **{_SEND: OPEN, _CLOSE: CLOSED, _ACCEPT: "A091", _WS_START: "A120", **_either(_WS_BODY, "A120")},
        **{_CONNECT: "A090", _RECEIVE: OPEN, _LEAVE: LEFT, RETURN: "A104"},
    },
    DENYING: {**_DENIAL_ONLY, f"{_WS_BODY}+": DENYING, _WS_BODY: DENIED, _LEAVE: LEFT, RETURN: "A120"},
    DENIED: {**_DENIAL_ONLY, **_either(_WS_BODY, "A120"), _LEAVE: LEFT, RETURN: DENIED},
    CLOSED: {
        **{_SEND: "A102", _CLOSE: "A102", _ACCEPT: "A102", _WS_START: "A120", **_either(_WS_BODY, "A120")},
        **{_CONNECT: "A090", _RECEIVE: CLOSED, _LEAVE: LEFT, RETURN: CLOSED},
    },
    LEFT: {
        **{_SEND: "A102", _CLOSE: "A102", _ACCEPT: "A102", _WS_START: "A120", **_either(_WS_BODY, "A120")},
        **{_CONNECT: "A090", _RECEIVE: "A103", _LEAVE: LEFT, RETURN: LEFT},
    },
}

# --- lifespan

NEW, STARTING, RUNNING = "before lifespan.startup", "during startup", "after startup"
CUT_OFF = "after startup, its receive() cancelled"
FAILED, STOPPING, STOPPED = "after lifespan.startup.failed", "during shutdown", "after shutdown"
PUZZLED, UNKNOWN = "after an event nobody knows", "lifespan.?"
_UP, _DOWN = "lifespan.startup", "lifespan.shutdown"
_UP_SAYS, _DOWN_SAYS = [f"{_UP}.complete", f"{_UP}.failed"], [f"{_DOWN}.complete", f"{_DOWN}.failed"]
_A108, _A114 = dict.fromkeys(_UP_SAYS, "A108"), dict.fromkeys(_DOWN_SAYS, "A114")

_RUNS = {**{_UP: "A107", _DOWN: STOPPING, UNKNOWN: PUZZLED, **_A108, **_A114}, RETURN: "A114:lint"}

LIFESPAN: Table = {
    NEW: {_UP: STARTING, _DOWN: "A113", **dict.fromkeys([*_UP_SAYS, *_DOWN_SAYS], "A109"), RETURN: "A011"},
    STARTING: {
        **{_UP: "A107", _DOWN: "A113", **_A114, _UP_SAYS[0]: RUNNING, _UP_SAYS[1]: FAILED},
        **{RETURN: "A108", CANCELLED: STARTING},
    },
    RUNNING: {**_RUNS, CANCELLED: RUNNING, INTERRUPTED: CUT_OFF},
    CUT_OFF: {**_RUNS, _DOWN_SAYS[1]: STOPPED, CANCELLED: CUT_OFF},  # Starlette tells of its end in any case
    PUZZLED: {_UP: "A107", _DOWN: STOPPING, **_A108, **dict.fromkeys(_DOWN_SAYS, "A118"), RETURN: PUZZLED},
    FAILED: {_UP: "A107", _DOWN: "A113", **_A108, **_A114, RETURN: FAILED, CANCELLED: FAILED},
    STOPPING: {
        **{_UP: "A107", _DOWN: "A113", **_A108, **dict.fromkeys(_DOWN_SAYS, STOPPED)},
        **{RETURN: "A114", CANCELLED: "A115"},
    },
    STOPPED: {_UP: "A107", _DOWN: "A113", **_A108, **_A114, RETURN: STOPPED, CANCELLED: STOPPED},
}

TABLES = {"http": HTTP_RESPONSE, "websocket": WEBSOCKET, "lifespan": LIFESPAN}


class Order:
    """Where one table stands in one connection."""

    __slots__ = ("_table", "state")

    def __init__(self, table: Table) -> None:
        self._table = table
        self.state = next(iter(table))

    def take(self, event: str) -> tuple[str, str] | None:
        """Move on; or stay, and return the id of the rule that was broken and what happened.

        Events the table does not know are somebody else's finding.
        """
        following = self._table[self.state].get(event, self.state)
        id, _, severity = following.partition(":")
        if id not in ASGI.rules:
            self.state = following
            return None
        return id, _mistake(event, self.state, severity)


def _mistake(event: str, state: str, severity: Any) -> str:
    did = {RETURN: "the app returned", CANCELLED: "the app was cancelled"}.get(event, f"{event.rstrip('+')!r} came")
    weight: Severity | None = severity or None
    return f"{did} {state}" if weight is None else Milder(weight, f"{did} {state}")


def event_of(message: dict[str, Any]) -> str:
    """The event that a message is in the tables."""
    kind = str(message.get("type"))
    more = message.get("more_body") or message.get("more_trailers") or message.get("trailers")
    if kind == _REQUEST and not more and not message.get("body"):
        return _EMPTY
    if kind.startswith("lifespan.") and kind not in LIFESPAN[RUNNING]:
        return UNKNOWN
    return f"{kind}+" if more else kind
