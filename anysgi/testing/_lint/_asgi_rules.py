"""All the ASGI rules there are: the book is full once these are imported."""

from __future__ import annotations

from . import (
    _asgi_conduct,
    _asgi_events,
    _asgi_extensions,
    _asgi_lifespan,
    _asgi_messages,
    _asgi_scope,
    _asgi_tls,
    _asgi_websocket,
)
from ._rule import ASGI

__all__ = ["ASGI", "PARTS"]

PARTS = (
    _asgi_conduct,
    _asgi_events,
    _asgi_extensions,
    _asgi_lifespan,
    _asgi_messages,
    _asgi_scope,
    _asgi_tls,
    _asgi_websocket,
)
