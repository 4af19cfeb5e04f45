"""All the WSGI rules there are: the book is full once these are imported."""

from __future__ import annotations

from . import _wsgi_conduct, _wsgi_environ, _wsgi_head
from ._rule import WSGI

__all__ = ["PARTS", "WSGI"]

PARTS = (_wsgi_conduct, _wsgi_environ, _wsgi_head)
