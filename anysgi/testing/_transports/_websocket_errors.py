"""The exceptions of a WebSocket's client; where Starlette is at work they are Starlette's own too."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from ...exceptions import WebSocketClosed, WebSocketDenied


@cache
def _also(ours: Any, theirs: Any) -> Any:
    """A class that `except WebSocketDisconnect` catches as well, as suites written for Starlette's client have it."""
    return type(ours.__name__, (ours, theirs), {"__module__": ours.__module__})


def _class(ours: Any) -> Any:
    theirs = getattr(sys.modules.get("starlette.websockets"), "WebSocketDisconnect", None)
    return ours if theirs is None else _also(ours, theirs)


def closed_by(message: dict[str, Any]) -> WebSocketClosed:
    """The app, or the client itself, closed the WebSocket."""
    closed: WebSocketClosed = _class(WebSocketClosed)(message.get("code", 1000), message.get("reason") or "")
    return closed


def denied_by(message: dict[str, Any], response: Any) -> WebSocketDenied:
    """The app would not have it."""
    denied: WebSocketDenied = _class(WebSocketDenied)(
        message.get("code", 1000), message.get("reason") or "", response.status_code, response
    )
    return denied
