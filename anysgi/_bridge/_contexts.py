"""Context variables across the border: a copy goes in with every call; what was set comes back on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextvars import Context

_MISSING = object()


def write_back(context: Context) -> None:
    """Set in the current context every variable that `context` holds with another value."""
    for variable, value in context.items():
        if variable.get(_MISSING) is not value:
            variable.set(value)
