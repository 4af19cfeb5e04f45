"""Compare the routes of two apps, before any request is sent.

`_pairing` decides which routes answer the same requests, `_checks` compares a pair, `_shadowing` finds routes that are
never reached, `_fixes` has the line to write, `_table` writes a `routes.toml` to start from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._checks import compare
from ._difference import Difference
from ._pairing import pair
from ._shadowing import newly_shadowed

if TYPE_CHECKING:
    from .._inventory import Inventory

__all__ = ["Difference", "diff_routes"]


def diff_routes(old: Inventory, new: Inventory) -> list[Difference]:
    """Compare two inventories.

    Args:
        old: of the app that is to be replaced.
        new: of the app that replaces it.

    Returns:
        What a client could notice, in the order of the old app's routes; then what only the new app has.
    """
    pairs = pair(old.routes, new.routes)
    found = [difference for each in pairs for difference in compare(each, new)]
    return found + list(newly_shadowed(old, new))
