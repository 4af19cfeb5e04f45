"""What must be made anew in the child of a fork: threads do not survive it, and their locks may be held for ever."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    def after_fork(self) -> None:
        """Forget every thread, loop and lock: this is the child."""


_forkable: weakref.WeakSet[Forkable] = weakref.WeakSet()


def register(item: Forkable) -> None:
    """Have `item.after_fork()` called in every forked child, for as long as `item` lives."""
    _forkable.add(item)


def _after_fork() -> None:
    for item in list(_forkable):
        item.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
