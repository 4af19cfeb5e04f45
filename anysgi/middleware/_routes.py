"""What metrics, spans and log lines are named after: a route's template, and a method that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core._route import template_in

if TYPE_CHECKING:
    from ._engine._request import Request


METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
"""Those that are told by name: whoever makes up others shall not make new names without end."""


def route_of(request: Request) -> str | None:
    """Return the template, once the app has answered; None if nobody left it anywhere."""
    return template_in(request.native)
