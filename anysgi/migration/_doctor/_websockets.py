"""WebSockets: an ASGI server speaks them only with a library for it, and so does our adapter for a WSGI app's."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ._finding import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient, Side

_SPEAKERS = ("websockets", "wsproto")


def websocket_library(patient: Patient) -> Iterator[Finding]:
    """Routes for WebSockets, and nothing installed that speaks the protocol: the server answers them as plain HTTP."""
    for side in patient.sides:
        wanted = _SPEAKERS if side.convention == "asgi" else ("wsproto",)
        routes = tuple(_websockets(side))
        if routes and not any(map(find_spec, wanted)):
            yield Finding(
                "websocket-library",
                "error",
                f"{side.name} has routes for WebSockets, and {' or '.join(wanted)} is not installed: "
                "the handshake fails on an ASGI server",
                routes,
                'pip install "uvicorn[standard]"' if side.convention == "asgi" else 'pip install "anysgi[websocket]"',
            )


def _websockets(side: Side) -> Iterator[Evidence]:
    for route in side.inventory.routes:
        facts = [fact for fact in route.handler.facts if fact.kind == "websocket"]
        if "WEBSOCKET" in route.methods or facts:
            yield Evidence(f"{' '.join(route.methods)} {route.path}", route.handler.file, route.handler.line)
