"""The exceptions of a WebSocket's client; where Starlette is at work they are Starlette's own too."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from ...exceptions import WebSocketClosed, WebSocketDenied


@cache
def _also(ours: Any, theirs: Any) -> Any:
    """A class that suites written for Starlette's client catch as well."""
    return type(ours.__name__, (ours, theirs), {"__module__": ours.__module__})


def _class(ours: Any, module: str, name: str) -> Any:
    theirs = getattr(sys.modules.get(module), name, None)
    return ours if theirs is None else _also(ours, theirs)


def closed_by(message: dict[str, Any]) -> WebSocketClosed:
    """The app, or the client itself, closed the WebSocket."""
    kind = _class(WebSocketClosed, "starlette.websockets", "WebSocketDisconnect")
    closed: WebSocketClosed = kind(message.get("code", 1000), message.get("reason") or "")
    return closed


def denied_by(message: dict[str, Any], response: Any) -> WebSocketDenied:
    """The app would not have it; `message` is its close, empty where it answered with a response."""
    said = (message.get("code", 1000), message.get("reason") or "", response.status_code, response)
    denied: WebSocketDenied
    if message or "starlette.testclient" not in sys.modules:
        denied = _class(WebSocketDenied, "starlette.websockets", "WebSocketDisconnect")(*said)
    else:  # an exception of Starlette's that is a response, too
        kind = _class(WebSocketDenied, "starlette.testclient", "WebSocketDenialResponse")
        denied = kind(*said)
        vars(denied).update({**vars(response), **vars(denied)})
    return denied
