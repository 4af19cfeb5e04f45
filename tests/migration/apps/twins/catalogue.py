"""What both shops sell."""

from __future__ import annotations

import itertools
from uuid import uuid4

ITEMS = [
    {"id": 1, "name": "Tea", "price": 3.5, "added": "2026-11-01T10:00:00Z"},
    {"id": 2, "name": "Coffee", "price": 4.0, "added": "2026-11-02T10:00:00Z"},
]
PAGE = "<!doctype html><title>Shop</title><ul><li class='item'>Tea</li><li class='item'>Coffee</li></ul>"
_count = itertools.count()


def noisy() -> dict[str, object]:
    """A new id and a new number each time."""
    return {"id": str(uuid4()), "count": next(_count), "shop": "Corner"}
